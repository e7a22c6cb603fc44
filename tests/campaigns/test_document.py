"""docs/campaigns.md: its commands do what it says, in its order."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from flask import Flask
from PIL import Image

from microsite.config import PROJECT_ROOT

SITE = "https://www.ecole.example"


def _commands() -> list[list[str]]:
    text = (PROJECT_ROOT / "docs" / "campaigns.md").read_text()
    blocks = "".join(re.findall(r"```sh\n(.*?)```", text, re.S)).replace("\\\n", "")
    return [shlex.split(line.removeprefix("flask --app wsgi ")) for line in blocks.splitlines()]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_commands_of_the_document_work(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(MICROSITE_PUBLIC_URL=SITE)
    monkeypatch.chdir(tmp_path)

    for command in _commands():
        result = app.test_cli_runner().invoke(args=command)
        assert (result.exit_code, result.stderr.startswith("Attention")) == (0, False), result.output

    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "rapport.csv",
        "salon-2026.png",
        "salon-2026.svg",
    ]
    code = zxingcpp.read_barcodes(Image.open(tmp_path / "salon-2026.png"))[0]
    answer = app.test_client().get(code.text.removeprefix(SITE))
    assert answer.headers["Location"] == "/portes-ouvertes?utm_source=affiche&utm_medium=qr&utm_campaign=salon-2026"
