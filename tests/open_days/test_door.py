"""At the door, on the day: who is noted, who is let in unregistered, and who isn't."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from microsite.db import db, writing
from microsite.leads.models import Lead, Submission
from microsite.leads.services import Person
from microsite.open_days.attendance import NotExpected, check_in, walk_in
from microsite.open_days.models import Registration, RegistrationState
from microsite.open_days.seats import SlotClosed, SlotFull
from microsite.open_days.services import cancel
from microsite.web.context import utc_now

from ..answers import call_off, only, plan_slot
from .desk import register

MORNING = datetime(2099, 3, 7, 8, tzinfo=UTC)  # 9:00 in Paris; the slot begins at 10:00


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


def _check_in(app: Flask, reference: str) -> int:
    """The companions who were noted too."""
    with app.app_context(), writing():
        return check_in(db.session(), reference, now=utc_now()).registration.companions


def _walk_in(app: Flask, slot: str, name: str = "Eve", *, companions: int = 0, phone: str | None = None) -> bool:
    """Whether somebody had noted them already."""
    person = Person(first_name=name, last_name="Martin", email=f"{name.lower()}@exemple.fr", phone=phone)
    with app.app_context(), writing():
        return walk_in(db.session(), person, slot_id=int(slot), companions=companions, now=utc_now()).is_repeated


def _registrations(app: Flask) -> list[Registration]:
    with app.app_context():
        return list(db.session.scalars(select(Registration).order_by(Registration.id)))


def _count(app: Flask, model: type[Lead | Submission]) -> int:
    with app.app_context():
        return db.session.execute(select(func.count(model.id))).scalar_one()


def _set_state(app: Flask, state: RegistrationState) -> None:
    with app.app_context():
        for registration in db.session.scalars(select(Registration)):
            registration.state = state
        db.session.commit()


@pytest.mark.parametrize("state", [RegistrationState.WAITING, RegistrationState.CANCELLED, RegistrationState.EXPIRED])
def test_who_has_no_seat_is_not_checked_in(app: Flask, state: RegistrationState) -> None:
    reference = register(app, plan_slot(app, capacity=3), "Ada")
    _set_state(app, state)

    with pytest.raises(NotExpected):
        _check_in(app, reference)

    assert only(_registrations(app)).checked_in_at is None


def test_unknown_reference_and_other_day_are_refused(app: Flask, clock: time_machine.Traveller) -> None:
    reference = register(app, plan_slot(app, capacity=3), "Ada")
    clock.move_to(datetime(2099, 3, 6, 22, 30, tzinfo=UTC))  # 23:30 in Paris, the day before

    with pytest.raises(NotExpected):
        _check_in(app, "JPO-222222")
    with pytest.raises(NotExpected):
        _check_in(app, reference)

    clock.move_to(datetime(2099, 3, 6, 23, 30, tzinfo=UTC))
    _check_in(app, reference)
    assert only(_registrations(app)).state is RegistrationState.ATTENDED


def test_second_registration_counts_once_the_first_is_given_back(app: Flask) -> None:
    slot = plan_slot(app, capacity=3)
    first = register(app, slot, "Ada")
    _set_state(app, RegistrationState.CANCELLED)
    register(app, slot, "Ada", companions=1)

    assert _check_in(app, first) == 1


def test_walk_in_takes_seats_and_is_kept_as_a_request(app: Flask) -> None:
    slot = plan_slot(app, capacity=3)

    _walk_in(app, slot, phone="+33612345678", companions=1)

    registration = only(_registrations(app))
    assert (registration.state, registration.is_walk_in, registration.seats) == ("attended", True, 2)
    with app.app_context():
        submission = db.session.scalars(select(Submission)).one()
        assert (submission.phone, submission.answers["slot_id"]) == ("+33612345678", int(slot))


def test_walk_in_repeated_adds_nothing(app: Flask) -> None:
    slot = plan_slot(app, capacity=3)

    noted = [_walk_in(app, slot), _walk_in(app, slot, companions=1)]

    assert noted == [False, True]
    assert only(_registrations(app)).companions == 0
    assert _count(app, Submission) == 1


def test_walk_in_who_has_a_seat_or_waits_is_known(app: Flask) -> None:
    slot = plan_slot(app, capacity=2)
    register(app, slot, "Eve")
    register(app, slot, "Bob", companions=1)  # waits: two seats, one left

    _walk_in(app, slot)
    _walk_in(app, slot, "Bob")

    assert [(one.state, one.is_walk_in) for one in _registrations(app)] == [("attended", False), ("attended", True)]
    assert _count(app, Submission) == 2


def test_seats_that_a_walk_in_waited_for_and_leaves_pass_on(app: Flask, clock: time_machine.Traveller) -> None:
    slot = plan_slot(app, capacity=2)
    clock.shift(-3600)
    for name, companions in [("Ada", 1), ("Max", 1), ("Eve", 1), ("Bob", 0)]:
        register(app, slot, name, companions=companions)
    with app.app_context(), writing():
        cancel(db.session(), db.session.get_one(Registration, 1), now=utc_now())
    # Max's half hour has ended, and the worker has not looked yet.
    clock.shift(3600)

    _walk_in(app, slot)

    assert [one.state for one in _registrations(app)] == ["cancelled", "expired", "attended", "offered"]


def test_full_slot_takes_nobody_more_and_keeps_nothing(app: Flask) -> None:
    slot = plan_slot(app, capacity=2)
    register(app, slot, "Ada")

    with pytest.raises(SlotFull) as refused:
        _walk_in(app, slot, companions=1)

    assert refused.value.remaining == 1
    assert _count(app, Lead) == 1


def test_walk_in_comes_to_a_slot_of_today(app: Flask, clock: time_machine.Traveller) -> None:
    slot, cancelled = plan_slot(app, capacity=3), plan_slot(app, capacity=3, hour=14)
    call_off(app, cancelled)

    def refused(number: str) -> None:
        with pytest.raises(SlotClosed):
            _walk_in(app, number)

    refused(cancelled)
    refused("77")
    clock.move_to(datetime(2099, 3, 7, 11, tzinfo=UTC))
    refused(slot)
    clock.move_to(datetime(2099, 3, 6, 11, tzinfo=UTC))
    refused(slot)
    assert _registrations(app) == []
