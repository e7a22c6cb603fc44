"""The last contact initiated by the lead, which retention counts from: what they POST, never a link that is opened."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.db import db, writing
from microsite.leads.models import Lead, Submission
from microsite.leads.services import Person, release
from microsite.open_days.attendance import check_in, walk_in
from microsite.outbox.transports import MemoryTransport
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import BROCHURE, TELL_ME, plan_slot
from ..page import CheckedClient
from .owners import MAX, ZOE, ask_brochure, register, space_of

MONDAY = datetime(2027, 1, 4, 9, tzinfo=UTC)

Step = Callable[[], object]


def _last_contact(app: Flask, email: str = ZOE) -> datetime:
    with app.app_context():
        return db.session.scalars(select(Lead.last_contact_at).where(Lead.email == email)).one()


def _mailed(app: Flask, sent: MemoryTransport, part: str = "") -> list[str]:
    """Paths of the links in the mails to Zoé; whatever their text names, and what List-Unsubscribe says."""
    Worker(app).run("mails")
    texts = []
    for message in sent.sent:
        body = message.get_body(("plain",))
        if message["To"] == ZOE and body is not None:
            texts.append(f"{body.get_content()} {message.get('List-Unsubscribe', '')}")
    words = " ".join(texts).replace("<", " ").replace(">", " ").split()
    return [path for word in words if word.startswith("http://") and part in (path := word.split(":8000")[1])]


def _post(client: CheckedClient, path: str, **answers: str) -> None:
    assert client.post(path, data=answers).status_code in (200, 303)


def _send(client: CheckedClient, path: str, **answers: str) -> None:
    client.follow(client.send(client.page(path).form(path), **answers))


def _moves(app: Flask, steps: list[Step]) -> list[bool]:
    """Whether each step, a day after the one before, is the last contact then."""
    moved: list[bool] = []
    for step in steps:
        with time_machine.travel(utc_now() + timedelta(days=len(moved) + 1), tick=False):
            step()
            moved.append(_last_contact(app) == utc_now())
    return moved


def test_each_post_of_the_lead_is_a_contact(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    slot, tight = plan_slot(app, capacity=5), plan_slot(app, capacity=1, hour=14)
    ask_brochure(client, email_consent="y", phone="06 12 34 56 78")
    _send(client, "/portes-ouvertes", **TELL_ME)
    seat, theirs = register(app, slot), register(app, tight, email=MAX)
    waiting = register(app, tight)
    confirm, stop = _mailed(app, sent, "/confirmer/")[0], _mailed(app, sent, "/arreter/")[0]

    def press(button: str, **answers: str) -> Step:
        return lambda: _post(client, f"{space_of(app)}/{button}", **answers)

    def agree() -> None:
        space = space_of(app)
        client.follow(client.send(client.page(space).form(f"{space}/accords/phone/don")))

    def accept() -> None:
        client.post(f"{space_of(app, MAX)}/inscriptions/{theirs}/annulation")
        _post(client, f"{space_of(app)}/inscriptions/{waiting}/acceptation")

    steps = [
        lambda: _post(client, confirm),
        press(f"inscriptions/{seat}/accompagnants", companions="1"),
        accept,
        press(f"inscriptions/{seat}/annulation"),
        press("alertes/arret"),
        press("donnees/copie"),
        agree,
        press("accords/email/retrait"),
        lambda: ask_brochure(client, email_consent="y"),
        # A button, and a mail program's one click (RFC 8058).
        lambda: _post(client, stop),
        lambda: ask_brochure(client, email_consent="y"),
        lambda: _post(client, stop, **{"List-Unsubscribe": "One-Click"}),
        press("donnees/effacement"),
    ]

    assert _moves(app, steps) == [True] * len(steps)


def test_what_others_do_and_what_changes_nothing_is_no_contact(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        slot = plan_slot(app, day="2027-01-07")
        ask_brochure(client, email_consent="y")
        seat = register(app, slot)
        links = _mailed(app, sent)
        assert {link.split("/")[1] for link in links} >= {"brochure", "e-mails", "mon-espace"}
        confirm = next(link for link in links if "/confirmer/" in link)
        _post(client, confirm)
        began = _last_contact(app)
        _send(client, "/brochure", **BROCHURE | {"topic": "Buy now"})

        clock.shift(timedelta(days=3))
        for link in links:
            client.get(link)
            client.head(link)
        # Already done; a link that is asked for, which anybody may ask for.
        _post(client, confirm)
        _send(client, "/mon-espace", email=ZOE)
        with app.app_context(), writing():
            check_in(db.session(), seat, now=utc_now())
            release(db.session(), db.session.scalars(select(Submission).where(Submission.lead_id.is_(None))).one())

        assert _last_contact(app) == began == utc_now() - timedelta(days=3)


def test_who_comes_unregistered_has_made_contact(app: Flask) -> None:
    slot = plan_slot(app, day="2027-01-04")
    person = Person(first_name="Zoé", last_name="Lefèvre", email=ZOE, phone=None)

    with app.app_context(), writing():
        walk_in(db.session(), person, slot_id=int(slot), companions=0, now=MONDAY)

    assert _last_contact(app) == MONDAY
