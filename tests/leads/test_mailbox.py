"""One person is one mailbox: what letters make alike joins, opens, counts and erases nothing of somebody else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from microsite.backoffice.models import Role
from microsite.db import db, writing
from microsite.leads.models import Lead, Submission
from microsite.open_days.models import Registration
from microsite.outbox.emails import COMPOSERS
from microsite.outbox.models import Audience, OutgoingMail
from microsite.outbox.transports import MemoryTransport
from microsite.quarantine import release_all
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import APPLICATION, BROCHURE, TELL_ME, call_off, only, plan_slot
from ..backoffice.conftest import PASSWORD, add_member
from ..open_days.scene import Scene
from ..page import CheckedClient
from ..privacy.owners import rows, space_of
from ..support.invariants import broken_invariants

OPENS = datetime(2099, 3, 7, 9, tzinfo=UTC)
HELD, TYPED = "Zoe.Lefevre@exemple.fr", "zoe.lefevre@exemple.fr"
# Folded, the two are the same text.
ALIKE = [
    ("paul@straße-ecole.fr", "paul@strasse-ecole.fr"),
    ("ßmith@exemple.fr", "ssmith@exemple.fr"),
    ("Élodie@exemple.fr", "élodie@exemple.fr"),
    ("ſam@exemple.fr", "sam@exemple.fr"),
    ("nikoς@exemple.fr", "nikoσ@exemple.fr"),
]


def _send(client: CheckedClient, path: str, **answers: str) -> None:
    client.follow(client.send(client.page(path).form(path), **answers))


def _sent_to(sent: MemoryTransport) -> set[str]:
    return {str(message["To"]) for message in sent.sent} - {"a-completer@exemple.invalid"}


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_address_that_looks_alike_is_another_person_with_a_seat_and_a_page_of_their_own(
    app: Flask, client: CheckedClient, sent: MemoryTransport, one: str, other: str
) -> None:
    slot = plan_slot(app, capacity=2)
    _send(client, "/portes-ouvertes", **BROCHURE | {"email": other, "slot": slot})
    Worker(app).run("mails")
    theirs = only(rows(app)["leads"])

    _send(client, "/portes-ouvertes", **BROCHURE | {"email": one, "slot": slot, "first_name": "Lou"})
    _send(client, "/brochure", **BROCHURE | {"email": one, "first_name": "Lou"})
    Worker(app).run("mails")

    found = rows(app)
    assert [str(row.state) for row in found["registrations"]] == ["confirmed", "confirmed"]
    assert found["leads"][0] == theirs
    mine = found["leads"][1]
    assert (mine.email, mine.needs_review) == (one, False)
    # Every link in a mail to the one address opens that one's page.
    for email in (one, other):
        assert client.page(space_of(app, email)).one("strong").text() == email
    assert broken_invariants(app) == []


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_copy_erasure_and_new_link_are_of_one_mailbox_alone(
    app: Flask, client: CheckedClient, sent: MemoryTransport, one: str, other: str
) -> None:
    for email in (one, other):
        _send(client, "/brochure", **BROCHURE | {"email": email})
        _send(client, "/mon-espace", email=email)
    form = client.page("/brochure").form("/brochure")
    client.follow(client.send(form, **BROCHURE | {"email": one}, topic="Buy now"))

    copy = json.loads(app.test_cli_runner().invoke(args=["privacy", "export", one]).output)
    assert [only(copy["fiche"])["e-mail"], len(copy["envois_retenus"]), len(copy["liens_demandés"])] == [one, 1, 1]
    erased = app.test_cli_runner().invoke(args=["privacy", "erase", other, "--yes"])

    assert erased.exit_code == 0, erased.output
    left = rows(app)
    assert only(left["leads"]).email == one
    assert {row.email for row in left["submissions"]} == {one}
    assert only(left["access_requests"]).email == one
    sent.sent.clear()
    Worker(app).run("mails")
    with app.app_context():
        assert len(db.session.scalars(select(OutgoingMail).filter_by(template="access")).all()) == 1


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_oracle_names_a_form_that_joined_a_lead_whose_address_only_looks_alike(
    app: Flask, client: CheckedClient, one: str, other: str
) -> None:
    _send(client, "/brochure", **BROCHURE | {"email": other})
    with app.app_context(), writing():
        db.session.execute(update(Submission).values(email=one))
        reference = db.session.scalars(select(Submission.reference)).one()

    assert f"a submission has its lead's address: {reference}" in broken_invariants(app)


def test_forms_held_back_are_released_each_to_its_own_mailbox(app: Flask, client: CheckedClient) -> None:
    emails = [email for pair in ALIKE for email in pair]
    for email in emails:
        form = client.page("/brochure").form("/brochure")
        client.follow(client.send(form, **BROCHURE | {"email": email}, topic="Buy now"))
    with app.app_context(), writing():
        ids = db.session.scalars(select(Submission.id)).all()
        release_all(db.session(), ids, notify_every="none", now=utc_now(), done=lambda _: None)

    with app.app_context():
        pairs = db.session.execute(select(Submission.email, Lead.email).join(Submission.lead)).all()
        assert sorted(pairs) == sorted((email, email) for email in emails)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_limit_of_one_mailbox_counts_every_spelling_and_nobody_else(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_FORM_RATE_LIMIT="0,2")
    client = app.test_client()
    assert isinstance(client, CheckedClient)

    def status(email: str) -> int:
        return client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"email": email}).status

    assert [status(email) for email in ("user@bücher.fr", "USER@XN--BCHER-KVA.fr")] == [303, 303]
    assert status("User@BÜCHER.fr") == 429
    assert [status(email) for email in ("paul@straße.fr", "paul@straße.fr", "paul@strasse.fr")] == [303, 303, 303]
    assert status("paul@strasse.fr") == 303
    assert status("Paul@straße.fr") == 429


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_accounts_of_two_mailboxes_are_two_and_each_signs_in_as_itself(app: Flask, client: CheckedClient) -> None:
    add_member(app, Role.MARKETING, email="paul@strasse-ecole.fr")
    add_member(app, Role.ADMISSIONS, email="paul@straße-ecole.fr", password="quatre petits chiens chantent")
    form = client.page("/admissions/connexion").form("/admissions/connexion")

    assert client.send(form, email="paul@straße-ecole.fr", password=PASSWORD).status == 422
    own = client.send(form, email="Paul@Straße-Ecole.fr", password="quatre petits chiens chantent")
    assert own.status == 303
    again = app.test_cli_runner().invoke(
        args=["staff", "add", "paul@xn--strae-ecole-y6a.fr", "--name", "Paul", "--role", "marketing"]
    )
    assert "a déjà un compte" in again.output


def test_every_mail_goes_to_the_address_that_the_lead_holds(
    app: Flask, client: CheckedClient, sent: MemoryTransport
) -> None:
    """Not to the one just typed: what a mail's links open is the lead's."""
    with time_machine.travel(OPENS - timedelta(days=20), tick=False) as clock:
        scene = Scene(app, client, sent, plan_slot(app, capacity=2))
        _send(client, "/brochure", **BROCHURE | {"email": HELD})
        zoe = BROCHURE | {"email": TYPED}
        full, ended = plan_slot(app, hour=13, capacity=1), plan_slot(app, hour=16)
        scene.register("ali", slot=full)
        _send(client, "/portes-ouvertes", **TELL_ME | zoe | {"slot": "prevenez-moi"})
        _send(client, "/brochure", **zoe, email_consent="y")
        scene.mails()
        clock.shift(timedelta(days=2))
        _send(client, "/candidater", **APPLICATION | zoe)
        for slot in (scene.slot, ended, f"{full}-attente"):
            _send(client, "/portes-ouvertes", **zoe, slot=slot)
        scene.cancel("ali")
        scene.mails()
        clock.shift(timedelta(days=2))
        call_off(app, ended)
        _send(client, "/mon-espace", email=TYPED)
        client.post(f"{space_of(app, TYPED)}/donnees/copie")
        scene.move(OPENS + timedelta(hours=1))
        _cancel(app, client, full)
        plan_slot(app, day="2099-04-04")
        scene.mails()
        for left in (timedelta(hours=47), timedelta(hours=2), timedelta(days=-1)):
            clock.move_to(OPENS + timedelta(hours=1) - left)
            scene.mails()

    with app.app_context():
        to_people = OutgoingMail.audience == Audience.LEAD, OutgoingMail.status == "sent"
        told = set(db.session.scalars(select(OutgoingMail.template).where(*to_people)))
    assert told == set(COMPOSERS) - {"digest", "notification", "privacy_request"}
    assert _sent_to(sent) == {HELD, "ali@exemple.fr"}
    for message in sent.sent:
        for part in message.walk():
            content = part.get_payload(decode=True) or b""
            assert TYPED.encode() not in (content if isinstance(content, bytes) else b"")


def _cancel(app: Flask, client: CheckedClient, slot: str) -> None:
    with app.app_context():
        found = select(Registration).where(Registration.slot_id == int(slot), Registration.state != "cancelled")
        reference = db.session.scalars(found).one().submission.reference
    client.post(f"{space_of(app, TYPED)}/inscriptions/{reference}/annulation")
