"""Requests on one's data at the desk: due within a month, answered by a copy or an erasure, then without a name."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from microsite.backoffice.models import AuditEntry, Role
from microsite.db import db, writing
from microsite.leads.models import Lead
from microsite.outbox.transports import MemoryTransport
from microsite.privacy.data_requests import ask
from microsite.privacy.models import PrivacyRequest, RequestKind
from microsite.web.context import utc_now

from ..answers import only
from ..page import CheckedClient
from ..privacy.owners import MAX, ask_brochure, rows, space_of
from .conftest import Desk

LIST = "/admissions/demandes-donnees"


@pytest.fixture
def zoe(client: CheckedClient, app: Flask, sent: MemoryTransport) -> int:
    """Her id; somebody else is there too."""
    ask_brochure(client, email_consent="y")
    ask_brochure(client, email=MAX, first_name="Max")
    with app.app_context():
        return db.session.scalars(select(Lead.id).where(Lead.email == "zoe@exemple.fr")).one()


def _asked(app: Flask, lead_id: int, kind: RequestKind, *, days: int = 0) -> int:
    with app.app_context(), writing():
        lead = db.session.get_one(Lead, lead_id)
        ask(db.session(), lead, kind, now=utc_now() - timedelta(days=days))
        return db.session.scalars(select(PrivacyRequest.id).order_by(PrivacyRequest.id.desc())).all()[0]


def _actions(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_copy_is_taken_handed_over_and_leaves_no_name(app: Flask, desk: Desk, zoe: int) -> None:
    number = _asked(app, zoe, RequestKind.COPY, days=40)
    client = desk(Role.ADMISSIONS)

    assert "1 demande sur les données" in client.page("/admissions/").text
    listed = client.page(LIST)
    assert "Zoé Lefèvre" in listed.text
    assert "en retard" in listed.text
    page = client.page(f"{LIST}/{number}")
    answer = client.send(page.form(f"{LIST}/{number}/copie")).response
    assert "attachment" in answer.headers["Content-Disposition"]
    copy = json.loads(answer.data)
    assert copy["fiche"][0]["e-mail"] == "zoe@exemple.fr"
    assert [look["par"] for look in copy["consultations"]] == ["l’équipe des admissions"]
    done = client.follow(client.send(page.form(f"{LIST}/{number}/remise")))

    assert "Zoé" not in done.text
    assert "Aucune demande à traiter" in done.text
    assert "Zoé" not in client.page(f"{LIST}/{number}").text
    assert client.page(f"{LIST}/{number}/effacement").status == 410
    assert [action for action in _actions(app) if action.startswith(("data", "privacy"))] == [
        "privacy requests listed",
        "privacy request seen",
        "data copied",
        "data handed over",
        "privacy requests listed",
    ]


def test_erasure_shows_what_will_go_then_takes_it_all(app: Flask, desk: Desk, client: CheckedClient, zoe: int) -> None:
    number = _asked(app, zoe, RequestKind.ERASURE)
    space = space_of(app)
    admissions = desk(Role.ADMISSIONS)
    shown = admissions.page(f"{LIST}/{number}/effacement")
    assert "zoe@exemple.fr" not in shown.text
    done = admissions.follow(admissions.send(shown.form(f"{LIST}/{number}/effacement")))

    assert "Cette personne est effacée" in done.text
    assert only(rows(app)["leads"]).email == MAX
    assert "Depuis, 1 demande des mois de cette période a été effacée" in admissions.page("/admissions/rapport").text
    assert "Depuis" not in admissions.page("/admissions/rapport?formulaire=application").text
    assert only(rows(app)["privacy_requests"]).lead_id is None
    assert client.page(space).status == 410
    assert admissions.page(f"/admissions/contacts/{zoe}").status == 404
    # The button of a page that stayed open.
    assert admissions.send(shown.form(f"{LIST}/{number}/effacement")).status == 410


def test_request_by_letter_is_noted_once_and_confirmed(app: Flask, desk: Desk, zoe: int) -> None:
    client = desk(Role.ADMISSIONS)
    long_ago = utc_now() - timedelta(days=1000)
    with app.app_context(), writing():
        db.session.get_one(Lead, zoe).last_contact_at = long_ago
    lead = client.page(f"/admissions/contacts/{zoe}")
    action = f"/admissions/contacts/{zoe}/demandes"

    for _ in range(2):
        page = client.follow(client.send(lead.form(action)))

    assert page.one("h1").text().strip() == "Copie des données"
    request = only(rows(app)["privacy_requests"])
    assert (request.kind, request.lead_id) == ("copy", zoe)
    assert "privacy_noted" in {mail.template for mail in rows(app)["outgoing_mails"]}
    assert _actions(app).count("privacy request noted") == 1
    # A letter is a contact of theirs: whoever waits for a copy isn't purged before they have it.
    assert next(row for row in rows(app)["leads"] if row.id == zoe).last_contact_at == request.asked_at
    token = lead.one("[name=csrf_token]").attributes["value"]
    assert client.post(action, data={"csrf_token": token, "kind": "autre"}).status_code == 400


def test_erasure_by_letter_ends_consents_as_the_confirmation_says(app: Flask, desk: Desk, zoe: int) -> None:
    client = desk(Role.ADMISSIONS)
    lead = client.page(f"/admissions/contacts/{zoe}")

    client.send(lead.form(f"/admissions/contacts/{zoe}/demandes"), kind="erasure")

    assert only(rows(app)["privacy_requests"]).kind == "erasure"
    assert only(rows(app)["consents"]).withdrawn_at is not None


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_who_asked_for_a_copy_is_not_erased_by_an_address_that_was_typed(app: Flask, desk: Desk, zoe: int) -> None:
    number = _asked(app, zoe, RequestKind.COPY)
    client = desk(Role.ADMISSIONS)
    token = client.page(f"{LIST}/{number}").one("[name=csrf_token]").attributes["value"]

    assert client.page(f"{LIST}/{number}/effacement").status == 404
    assert client.post(f"{LIST}/{number}/effacement", data={"csrf_token": token}).status_code == 404
    assert zoe in {row.id for row in rows(app)["leads"]}
