"""leads export --new: what is new since the last export of that name, once, and never lost."""

import csv
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from microsite.db import db, writing
from microsite.leads.models import FormName, Submission
from microsite.leads.services import release

from ..backoffice.people import send, sent_slowly


def _run(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["leads", "export", "--dialect", "rfc4180", "--new", *options])


def _take(app: Flask, *options: str) -> list[str]:
    """The first names on the standard output."""
    result = _run(app, *options)
    assert result.exit_code == 0, result.output
    return [row["first_name"] for row in csv.DictReader(io.StringIO(result.stdout))]


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let something happen once, elsewhere, after the rows are written."""
    # The package gives the group of commands this name.
    module = import_module("microsite.cli.leads")
    write = module.write_csv

    def write_and_act(*arguments: Any) -> Any:
        monkeypatch.undo()
        yield from write(*arguments)
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(act).result()

    monkeypatch.setattr(module, "write_csv", write_and_act)


def test_each_name_gets_what_is_new_once(app: Flask) -> None:
    send(app, "Zoé A")
    held = send(app, "Léa B", email="lea@exemple.fr", is_suspicious=True)[0]

    assert _take(app, "crm") == ["Zoé"]
    send(app, "Ana C", email="ana@exemple.fr", form=FormName.APPLICATION)
    with app.app_context(), writing():
        release(db.session(), db.session.get_one(Submission, held))

    assert _take(app, "crm") == ["Léa", "Ana"]
    assert _take(app, "crm") == []
    assert _take(app, "Lettre-2027") == ["Zoé", "Léa", "Ana"]


def test_one_form_moves_that_forms_bookmark_alone(app: Flask) -> None:
    send(app, "Zoé A")
    send(app, "Ana B", email="ana@exemple.fr", form=FormName.APPLICATION)

    assert _take(app, "crm", "--form", "application") == ["Ana"]
    assert _take(app, "crm") == ["Zoé"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_is_new_is_said_beside_the_file(app: Flask, tmp_path: Path) -> None:
    send(app, "Zoé A")
    target = tmp_path / "crm.csv"

    first, second = (_run(app, "crm", "--output", str(target)) for _ in range(2))

    assert (first.exit_code, first.stdout, second.exit_code, second.stdout) == (0, "", 0, "")
    assert "Premier export « crm » : tout est nouveau." in first.stderr
    assert f"Demandes exportées : 1, dans {target}" in first.stderr
    assert "Rien de nouveau depuis le dernier export « crm »." in second.stderr
    # Whoever reads the file finds nothing twice.
    assert len(target.read_text().splitlines()) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_file_that_cannot_be_written_moves_no_bookmark(app: Flask, tmp_path: Path) -> None:
    send(app, "Zoé A")

    failed = _run(app, "crm", "--output", str(tmp_path / "none" / "crm.csv"))

    assert failed.exit_code == 1
    assert "impossible d’écrire" in failed.stderr
    assert _take(app, "crm") == ["Zoé"]


@pytest.mark.parametrize("to", ["file", "output"])
def test_of_two_exports_of_a_name_at_once_one_is_refused(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    send(app, "Zoé A")
    target = tmp_path / "crm.csv"
    other = tmp_path / "other.csv"
    _meanwhile(monkeypatch, lambda: _run(app, "crm", "--output", str(other)))

    slow = _run(app, "crm", *(["--output", str(target)] if to == "file" else []))

    assert slow.exit_code == 1
    assert "un autre export « crm » s’est terminé entre-temps" in slow.stderr
    assert "Zoé" in other.read_text()
    assert [path.name for path in tmp_path.glob("*crm*")] == []
    assert _take(app, "crm") == []


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_lower_id_that_is_committed_later_is_not_missed(app: Flask) -> None:
    with sent_slowly(app, "Lente A", email="lente@exemple.fr") as earlier:
        assert earlier < send(app, "Vive B", email="vive@exemple.fr")[0]
        assert _take(app, "crm") == ["Vive"]

    assert _take(app, "crm") == ["Lente"]
