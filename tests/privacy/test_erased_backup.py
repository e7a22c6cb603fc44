"""A backup made after an erasure holds nothing of the person."""

import subprocess
from pathlib import Path

import pytest
from flask import Flask

from ..page import CheckedClient
from .owners import MAX, ask_brochure, rows
from .test_erasure import run
from .whole_person import EMAIL, live_through_everything, traces


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_fresh_backup_holds_nothing_of_an_erased_person(client: CheckedClient, app: Flask, tmp_path: Path) -> None:
    live_through_everything(client, app)
    ask_brochure(client, email=MAX, first_name="Max", last_name="Silva")
    assert run(app, "erase", EMAIL, "--yes").exit_code == 0

    made = app.test_cli_runner().invoke(args=["ops", "backup"])

    assert made.exit_code == 0, made.output
    instance = Path(app.extensions["settings"].instance_path)
    (archive,) = [path for path in (instance / "backups").iterdir() if path.is_file()]
    unpacked = tmp_path / "archive"
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", unpacked], check=True)
    found = list(unpacked.rglob("*.sqlite3"))
    assert found
    assert MAX.encode() in b"".join(path.read_bytes() for path in found)
    assert traces(tmp_path) == []
    assert [lead.email for lead in rows(app)["leads"]] == [MAX]
