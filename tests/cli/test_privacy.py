"""privacy register: the record of processing, whole, from the tables of the code; what its commands say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from microsite.privacy.activities import Activity
from microsite.privacy.personal_data import PERSONAL
from microsite.privacy.register import OUTSIDE
from microsite.privacy.retention import RETENTION
from microsite.web.typography import french

from ..answers import complete_school
from ..conftest import Environ


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def test_register_holds_every_purpose_kind_and_delay_once(app: Flask) -> None:
    text = app.test_cli_runner().invoke(args=["privacy", "register"]).stdout

    kinds = [*PERSONAL, *OUTSIDE]
    activities: list[Activity] = list(dict.fromkeys(kind.activity for kind in kinds))
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles[1:-4] == [french(f"## {number}. {item.purpose}") for number, item in enumerate(activities, start=1)]
    for words in (*(item.basis for item in activities), *(item.source for item in activities)):
        assert french(words) in text
    for kind in kinds:
        assert french(kind.what) in text
    for kept in RETENTION.values():
        assert french(f"| {kept.what} | {kept.delay} {kept.since} | {kept.reason} |") in text
    for part in ("Responsable du traitement", "Délégué à la protection", "Transferts hors", "Mesures de sécurité"):
        assert part in text


def test_register_names_what_the_school_has_not_written(
    app: Flask, environ: Environ, make_app: Callable[..., Flask]
) -> None:
    missing = app.test_cli_runner().invoke(args=["privacy", "register"])
    complete_school(Path(environ["MICROSITE_INSTANCE_PATH"]))
    whole = make_app().test_cli_runner().invoke(args=["privacy", "register"])

    named = [
        line.partition("«\N{NO-BREAK SPACE}")[2].split("\N{NO-BREAK SPACE}")[0] for line in missing.stderr.splitlines()
    ]
    assert (missing.exit_code, set(named)) == (
        0,
        {
            "legal.publisher",
            "legal.host",
            "legal.recipients",
            "contacts.address",
            "contacts.email",
            "contacts.phone",
            "contacts.data_protection_email",
        },
    )
    assert (whole.exit_code, whole.stderr) == (0, "")


def test_register_goes_into_a_file_or_says_why_not(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    shown = runner.invoke(args=["privacy", "register"]).stdout

    written = runner.invoke(args=["privacy", "register", "--output", str(tmp_path / "registre.md")])
    refused = runner.invoke(args=["privacy", "register", "--output", str(tmp_path / "nulle/part.md")])

    assert (written.exit_code, (tmp_path / "registre.md").read_text()) == (0, shown)
    assert (refused.exit_code, "impossible d’écrire" in refused.stderr) == (1, True)


@pytest.mark.parametrize("command", ["due", "purge", "register"])
def test_a_database_without_tables_is_told_in_one_line(
    command: str, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'vide.sqlite3'}")

    result = app.test_cli_runner().invoke(args=["privacy", command])

    if command == "register":
        assert result.exit_code == 0
    else:
        assert (result.exit_code, "ops check" in result.stderr, "Traceback" in result.stderr) == (1, True, False)
    assert app.test_cli_runner().invoke(args=["privacy", command, "--help"]).exit_code == 0
