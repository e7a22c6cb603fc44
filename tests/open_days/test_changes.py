"""A slot or a day that is changed or called off: who is told, and how often."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.db import db, writing
from microsite.open_days.models import ONLINE, OpenDay, Registration, RegistrationState, Slot
from microsite.open_days.plan_words import doubts
from microsite.open_days.planning import DayPlan, SlotPlan, add_slots, cancel_day, edit_day
from microsite.outbox.models import OutgoingMail
from microsite.web.context import utc_now

from ..answers import plan_slot
from .desk import edit, register, told

URL = "https://visio.example/j/1"
STARTS_AT = datetime(2099, 3, 14, 13, tzinfo=UTC)
MOVED = {"starts_at": STARTS_AT, "ends_at": STARTS_AT + timedelta(hours=2)}


def _mails(app: Flask) -> Counter[str]:
    with app.app_context():
        return Counter(db.session.scalars(select(OutgoingMail.template)))


def _states(app: Flask) -> list[str]:
    with app.app_context():
        return [str(state) for state in db.session.scalars(select(Registration.state).order_by(Registration.id))]


def _edit_day(app: Flask, **words: str) -> int:
    """How many are told."""
    with app.app_context(), writing():
        day = db.session.scalars(select(OpenDay)).one()
        return edit_day(db.session(), day, replace(DayPlan.of(day), **words), now=utc_now())


def _cancel_day(app: Flask) -> int:
    with app.app_context(), writing():
        return cancel_day(db.session(), db.session.scalars(select(OpenDay)).one(), now=utc_now())


def _add_afternoon(app: Flask, slot: str) -> str:
    """Four hours later, on the same day; its id."""
    with app.app_context(), writing():
        morning = db.session.get_one(Slot, int(slot))
        starts_at, ends_at = (at + timedelta(hours=4) for at in (morning.starts_at, morning.ends_at))
        plan = SlotPlan(starts_at=starts_at, ends_at=ends_at, capacity=4)
        add_slots(db.session(), morning.open_day, [plan], now=utc_now())
        return str(morning.open_day.slots[-1].id)


def test_moved_slot_keeps_its_people_and_tells_each_once(app: Flask) -> None:
    slot = plan_slot(app, capacity=2)
    register(app, slot, "Ada", companions=1)
    register(app, slot, "Bob")

    moved, again = edit(app, slot, **MOVED), edit(app, slot, **MOVED)

    assert (moved.told, moved.taken, again.told) == (2, 2, 0)
    assert _mails(app)["moved"] == 2


def test_more_seats_are_offered_to_those_who_wait(app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    for name in ("Ada", "Bob", "Eve"):
        register(app, slot, name)

    raised = edit(app, slot, capacity=2)

    assert (raised.offered, raised.taken) == (1, 2)
    assert _states(app) == ["confirmed", "offered", "waiting"]
    assert _mails(app)["offer"] == 1


def test_capacity_below_what_is_taken_drops_nobody_and_tells_nobody(app: Flask) -> None:
    slot = plan_slot(app, capacity=4)
    register(app, slot, "Ada", companions=2)

    lowered = edit(app, slot, capacity=1)

    assert (lowered.taken, lowered.told) == (3, 0)
    assert _states(app) == ["confirmed"]
    assert _mails(app) == {"registration": 1}


def test_another_place_is_told_to_everybody_in_the_day_and_another_title_to_nobody(app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    afternoon = _add_afternoon(app, slot)
    register(app, slot, "Ada")
    register(app, slot, "Bob")
    register(app, afternoon, "Eve")

    assert _edit_day(app, title="Nocturne", access="Métro Exemple") == 0
    assert _mails(app)["moved"] == 0
    assert _edit_day(app, place="Lyon", access="") == 3
    assert _mails(app)["moved"] == 3


def test_what_staff_call_a_day_online_tells_nobody(app: Flask) -> None:
    slot = plan_slot(app, capacity=4, place=ONLINE, online_url=URL)
    register(app, slot, "Ada")

    assert _edit_day(app, place="Salle virtuelle 2") == 0
    assert _edit_day(app, online_url=f"{URL}?bis") == 1


def test_day_that_goes_online_and_comes_back_tells_twice(app: Flask) -> None:
    register(app, plan_slot(app, capacity=4), "Ada")

    assert _edit_day(app, place=ONLINE, online_url=URL) == 1
    assert _edit_day(app, place="Paris", online_url="") == 1
    assert _mails(app)["moved"] == 2


def test_cancelling_again_tells_nobody_again(app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    for name in ("Ada", "Bob"):
        register(app, slot, name)

    assert [_cancel_day(app), _cancel_day(app)] == [2, 0]
    assert _states(app) == ["cancelled", "cancelled"]
    assert _mails(app) == {"registration": 2, "called_off": 2}


def test_day_is_cancelled_with_what_is_left_of_it(app: Flask) -> None:
    with time_machine.travel(datetime(2099, 3, 7, 8, tzinfo=UTC), tick=False) as clock:
        morning = plan_slot(app, capacity=4)
        afternoon = _add_afternoon(app, morning)
        register(app, morning, "Ada")
        register(app, afternoon, "Eve")
        clock.move_to(datetime(2099, 3, 7, 9, 30, tzinfo=UTC))

        _cancel_day(app)

    assert _states(app) == ["confirmed", "cancelled"]
    with app.app_context():
        slots = db.session.scalars(select(Slot).order_by(Slot.id)).all()
        assert [slot.cancelled_at is not None for slot in slots] == [False, True]


def test_registration_given_back_in_a_sample_day_is_not_told_of_dates(app: Flask) -> None:
    slot = plan_slot(app, capacity=4)
    for name in ("Ada", "Bob"):
        register(app, slot, name)
    with app.app_context():
        db.session.scalars(select(OpenDay)).one().is_sample = True
        db.session.scalars(select(Registration).order_by(Registration.id)).first().state = RegistrationState.CANCELLED  # type: ignore[union-attr]
        db.session.commit()

    removed = told(app, "remove-samples")

    assert removed == "Journées d’exemple retirées : 1. Inscriptions devenues « à prévenir » : 1.\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"starts_at": datetime(2099, 3, 14, 1, tzinfo=UTC)}, ["le créneau commence à 02:00, avant le jour"]),
        ({"closes_at": datetime(2098, 12, 31, tzinfo=UTC)}, ["les inscriptions sont déjà closes"]),
        ({"starts_at": STARTS_AT.replace(year=2101)}, ["le créneau est dans plus de deux ans (14/03/2101)"]),
    ],
)
def test_likely_mistakes_are_told(change: dict[str, Any], said: list[str]) -> None:
    plan = replace(SlotPlan(capacity=4, **MOVED), **change)

    assert list(doubts(plan, now=datetime(2099, 1, 1, tzinfo=UTC))) == said
