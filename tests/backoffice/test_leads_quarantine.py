"""What was held back: released with all it leads to, or confirmed as spam, several at once, by one person."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from microsite.backoffice.leads.quarantine import AT_ONCE
from microsite.backoffice.models import AuditEntry, Role
from microsite.db import db
from microsite.leads.models import FormName, Lead, Submission, SubmissionStatus
from microsite.outbox.models import OutgoingMail

from ..answers import export
from ..page import CheckedClient, Page
from .conftest import Desk
from .people import BY_EMAIL, send

LIST = "/admissions/contacts?etat=quarantaine"


def _hold(app: Flask, count: int = 1) -> list[int]:
    return [send(app, f"Zoé N{number}", email=f"z{number}@e.fr", is_suspicious=True)[0] for number in range(count)]


def _judge(client: CheckedClient, how: str, ids: list[int]) -> Page:
    token = client.page("/admissions/compte").one("[name=csrf_token]").attributes["value"]
    address = f"/admissions/quarantaine/{how}?etat=quarantaine&formulaire=brochure"
    return client.follow(Page(client.post(address, data={"csrf_token": token, "id": [str(one) for one in ids]})))


def _statuses(app: Flask) -> list[SubmissionStatus]:
    with app.app_context():
        return list(db.session.scalars(select(Submission.status).order_by(Submission.id)))


def _count(app: Flask, model: type[Lead] | type[OutgoingMail]) -> int:
    with app.app_context():
        return db.session.execute(select(func.count()).select_from(model)).scalar_one()


def test_held_submissions_are_listed_with_what_was_typed_and_no_one_else(app: Flask, desk: Desk) -> None:
    _hold(app)
    send(app, "Ana B", email="ana@exemple.fr")

    page = desk(Role.ADMISSIONS).page(LIST)

    assert "Zoé N0" in page.text
    assert "effacé 90 jours après son envoi" in page.text
    assert "z0@e.fr" in page.text
    assert "Ana" not in page.text
    assert "Zoé N0" not in desk(Role.ADMINISTRATOR).page("/admissions/contacts").text


def test_release_runs_what_was_held_back(app: Flask, desk: Desk) -> None:
    send(app, agreed=(BY_EMAIL,), is_suspicious=True)
    ids = _hold(app, 2)

    told = _judge(desk(Role.ADMISSIONS), "levee", ids[:1])

    assert "Quarantaine levée" in told.text
    assert told.response.request.args["formulaire"] == "brochure"
    assert _statuses(app) == ["quarantined", "released", "quarantined"]
    assert (_count(app, Lead), _count(app, OutgoingMail)) == (1, 2)


def test_spam_leaves_list_and_export_and_can_come_back(app: Flask, desk: Desk) -> None:
    ids = _hold(app, 3)
    client = desk(Role.ADMISSIONS)

    _judge(client, "indesirables", ids)

    assert _statuses(app) == ["spam"] * 3
    assert client.page(LIST).tree.css(".held li") == []
    assert export(app, "--include-quarantined") == []
    spam = client.page("/admissions/contacts?etat=indesirables")
    assert (len(spam.tree.css(".held li")), "effacés 30 jours après leur envoi" in spam.text) == (3, True)
    _judge(client, "retour", ids[:1])
    assert _statuses(app) == ["quarantined", "spam", "spam"]
    assert len(export(app, "--include-quarantined")) == 1


@pytest.mark.parametrize("how", ["levee", "indesirables"])
def test_what_somebody_else_has_judged_stays_as_it_is(app: Flask, desk: Desk, how: str) -> None:
    ids = _hold(app, 2)
    other = "indesirables" if how == "levee" else "levee"
    _judge(desk(Role.ADMINISTRATOR), other, ids[:1])
    before = _statuses(app)[0]

    told = _judge(desk(Role.ADMISSIONS), how, ids)

    assert "Quelqu’un d’autre" in told.text
    assert _statuses(app)[0] == before
    assert _statuses(app)[1] == {"levee": "released", "indesirables": "spam"}[how]


def test_nothing_ticked_is_said_and_too_many_are_refused(app: Flask, desk: Desk) -> None:
    _hold(app)
    client = desk(Role.ADMISSIONS)

    assert "Cochez" in _judge(client, "levee", []).text
    assert "Cochez" in _judge(client, "levee", [-1, 10**30]).text
    token = client.page("/admissions/compte").one("[name=csrf_token]").attributes["value"]
    many = {"csrf_token": token, "id": [str(number) for number in range(1, AT_ONCE + 2)]}
    assert client.post("/admissions/quarantaine/levee", data=many).status_code == 400
    assert _statuses(app) == ["quarantined"]


def test_each_judgement_is_noted(app: Flask, desk: Desk) -> None:
    ids = _hold(app, 2)

    _judge(desk(Role.ADMISSIONS), "indesirables", ids)

    with app.app_context():
        noted = select(AuditEntry.subject, AuditEntry.subject_id).where(AuditEntry.action == "submission spam")
        assert {tuple(row) for row in db.session.execute(noted)} == {("submission", number) for number in ids}


def test_released_for_a_slot_that_is_gone_promises_the_next_date(app: Flask, desk: Desk) -> None:
    answers = {"slot_id": 999, "slot_starts_at": "2027-03-01T09:00:00+00:00", "companions": 0}
    held = send(app, form=FormName.OPEN_DAY, answers=answers, is_suspicious=True)[0]
    client = desk(Role.ADMISSIONS)

    _judge(client, "levee", [held])

    with app.app_context():
        lead_id = db.session.scalars(select(Lead.id)).one()
    assert "À prévenir des prochaines dates" in client.page(f"/admissions/contacts/{lead_id}").text
