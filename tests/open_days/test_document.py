"""docs/open-days.md: its commands work, it names every column, and its table of offers is the rule."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.cli.open_day_file import HEADINGS
from microsite.config import PROJECT_ROOT
from microsite.db import db, writing
from microsite.formatters import PARIS
from microsite.open_days.models import Registration

from .desk import edit, told
from .people import book, plan_slot

DOCUMENT = (PROJECT_ROOT / "docs" / "open-days.md").read_text()
SEASON = "Lieu;Date;Début;Fin;Places\nParis;06/03/2027;10:00;12:00;40\n"


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def _commands() -> list[list[str]]:
    blocks = "".join(re.findall(r"```sh\n(.*?)```", DOCUMENT, re.S)).replace("\\\n", "")
    return [shlex.split(line.removeprefix("flask open-days ")) for line in blocks.splitlines()]


def test_commands_of_the_document_work(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saison.csv").write_text(SEASON)

    with time_machine.travel(datetime(2027, 1, 5, 9, tzinfo=UTC), tick=False):
        tried, added = (told(app, *command) for command in _commands())

    assert "Essai, rien n’est écrit." in tried
    assert added == "Ajoutés : journées : 1, créneaux : 1, places : 40. Déjà prévus : 0.\n"


def test_document_names_the_columns() -> None:
    named = re.findall(r"^\| ([^|`]+) \| (?!ce qu)", DOCUMENT, re.M)
    columns = [name.strip() for row in named for name in row.split(",")]

    assert set(HEADINGS.values()) <= set(columns)


@pytest.mark.parametrize(
    ("before", "hours"),
    [
        (timedelta(days=9), 24),
        (timedelta(days=4), 24),
        (timedelta(days=2), 12),
        (timedelta(days=1), 6),
        (timedelta(hours=12), 11),
        (timedelta(hours=4), 3),
    ],
)
def test_offers_hold_for_as_long_as_the_document_says(app: Flask, before: timedelta, hours: int) -> None:
    begins = datetime(2027, 2, 6, 10, tzinfo=PARIS).astimezone(UTC)
    with app.app_context(), writing():
        slot = plan_slot(capacity=1, starts_at=begins)
        for _ in range(2):
            book(slot, now=begins - timedelta(days=30))
        slot_id = slot.id

    with time_machine.travel(begins - before, tick=False):
        edit(app, str(slot_id), capacity=2)

    with app.app_context():
        until = db.session.scalars(select(Registration.offered_until).where(Registration.state == "offered")).one()
        assert until == begins - before + timedelta(hours=hours)
