"""What staff do is noted, and stays."""

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from microsite.backoffice.models import AuditEntry, Role
from microsite.db import db, writing

from .conftest import Browser, Desk, address, enter


def _actions(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_sign_ins_and_accounts_are_noted(app: Flask, browser: Browser, desk: Desk) -> None:
    client = desk(Role.ADMINISTRATOR)
    enter(browser(), email=address(Role.ADMINISTRATOR), password="faux")
    page = client.page("/admissions/equipe")
    client.send(page.form("/admissions/equipe"), name="Zoé", email="zoe@ecole.example", role="marketing")

    assert _actions(app) == ["sign-in", "sign-in refused", "staff added"]
    journal = client.page("/admissions/journal")
    assert "a ajouté un compte" in journal.text
    assert "zoe@ecole.example" not in journal.text


@pytest.mark.parametrize("before", ["-99999999999999999999", "99999999999999999999", "x"])
def test_place_that_makes_no_sense_is_the_journal_s_beginning(desk: Desk, before: str) -> None:
    page = desk(Role.ADMINISTRATOR).page(f"/admissions/journal?avant={before}")

    assert "s’est connecté" in page.text


@pytest.mark.parametrize(
    "change", [update(AuditEntry).values(action="autre"), delete(AuditEntry)], ids=["update", "delete"]
)
def test_log_is_only_added_to(app: Flask, desk: Desk, change: object) -> None:
    desk(Role.ADMISSIONS)

    with app.app_context(), pytest.raises(DBAPIError), writing():
        db.session.execute(change)  # type: ignore[call-overload]

    assert _actions(app) == ["sign-in"]
