"""The last columns: where each request's registration stands, and who came."""

from datetime import UTC, datetime

import time_machine
from flask import Flask
from sqlalchemy import event, select

from microsite.db import db, writing
from microsite.leads.services import Person
from microsite.open_days.attendance import check_in, walk_in
from microsite.open_days.models import Registration
from microsite.open_days.services import cancel
from microsite.web.context import utc_now

from ..answers import APPLICATION, BROCHURE, TELL_ME, call_off, export, only, plan_slot
from ..page import CheckedClient

LAST = ("registration", "checked_in_at", "walk_in")
BEFORE = datetime(2099, 3, 1, 9, tzinfo=UTC)


def _send(client: CheckedClient, *, path: str = "/portes-ouvertes", **answers: str) -> None:
    client.follow(client.send(client.page(path).form(path), **BROCHURE | answers))


def _ends(app: Flask) -> list[tuple[str, ...]]:
    """The last cells of each row."""
    return [tuple(row[name] for name in LAST) for row in export(app)]


def _cancel_the_first(app: Flask) -> None:
    with app.app_context(), writing():
        first = db.session.scalars(select(Registration).order_by(Registration.id)).first()
        assert first is not None
        cancel(db.session(), first, now=utc_now())


def test_state_follows_what_becomes_of_a_registration(client: CheckedClient, app: Flask) -> None:
    with time_machine.travel(BEFORE, tick=False):
        slot = plan_slot(app, capacity=1)
        _send(client, slot=slot)
        _send(client, slot=f"{slot}-attente", email="autre@exemple.fr")
        assert _ends(app) == [("confirmed", "", "false"), ("waiting", "", "false")]

        _cancel_the_first(app)
        assert _ends(app) == [("cancelled", "", "false"), ("offered", "", "false")]

        call_off(app, slot)
        assert _ends(app) == [("cancelled", "", "false"), ("cancelled", "", "false")]


def test_who_came_has_the_time_of_it_and_whether_they_were_expected(client: CheckedClient, app: Flask) -> None:
    with time_machine.travel(BEFORE, tick=False) as clock:
        slot = plan_slot(app)
        _send(client, slot=slot)
        reference = only(export(app))["reference"]
        clock.move_to(datetime(2099, 3, 7, 8, 55, tzinfo=UTC))
        someone = Person(first_name="Ana", last_name="Silva", email="ana@exemple.fr", phone=None)
        with app.app_context(), writing():
            check_in(db.session(), reference, now=utc_now())
            walk_in(db.session(), someone, slot_id=int(slot), companions=0, now=utc_now())

        assert _ends(app) == [
            ("attended", "2099-03-07T09:55:00+01:00", "false"),
            ("attended", "2099-03-07T09:55:00+01:00", "true"),
        ]


def test_form_sent_again_shows_the_registration_that_was_there(client: CheckedClient, app: Flask) -> None:
    slot, other = plan_slot(app), plan_slot(app, hour=14)
    _send(client, slot=slot)
    _send(client, slot=slot, companions="2")
    _send(client, slot=other, email="autre@exemple.fr")

    _cancel_the_first(app)

    assert [state for state, *_ in _ends(app)] == ["cancelled", "cancelled", "confirmed"]


def test_registration_that_was_cancelled_stays_apart_from_a_later_one(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app)
    _send(client, slot=slot)
    _cancel_the_first(app)
    _send(client, slot=slot)

    assert [state for state, *_ in _ends(app)] == ["cancelled", "confirmed"]


def test_what_led_to_no_registration_has_empty_cells(client: CheckedClient, app: Flask) -> None:
    plan_slot(app)
    _send(client, path="/brochure")
    _send(client, **TELL_ME)
    _send(client, path="/candidater", **APPLICATION)

    assert _ends(app) == [("", "", "")] * 3


def test_export_takes_one_query_whatever_is_in_it(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app)
    for number in range(3):
        _send(client, slot=slot, email=f"zoe{number}@exemple.fr")
    asked: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    assert len(export(app)) == 3

    assert len([statement for statement in asked if "submissions" in statement]) == 1
