"""Crowds: seats given out by several processes at once, and cancellations that race with those who come."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from flask import Flask

from microsite.db import db, writing
from microsite.open_days.models import SEATED, Registration, RegistrationState, Slot
from microsite.open_days.planning import SlotPlan, edit_slot
from microsite.open_days.seats import LONGEST_OFFER
from microsite.open_days.services import cancel
from microsite.web.context import utc_now

from ..answers import BROCHURE, export
from ..conftest import Environ
from ..page import CheckedClient, Page
from ..served import Visitor, served
from .people import book, in_order, plan_slot

pytestmark = pytest.mark.slow

CONFIRMED, OFFERED, WAITING = RegistrationState.CONFIRMED, RegistrationState.OFFERED, RegistrationState.WAITING
STARTS_AT = datetime(2099, 3, 7, 9, tzinfo=UTC)
Result = TypeVar("Result")


def test_200_parallel_registrations_for_20_seats_give_20_seats_and_a_line(
    client: CheckedClient, app: Flask, environ: Environ
) -> None:
    with app.app_context(), writing():
        slot = str(plan_slot(capacity=20, starts_at=STARTS_AT).id)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    ready = threading.Barrier(200)

    def register(number: int) -> Page:
        visitor = Visitor(site)
        ready.wait()
        answer = visitor.send(form, **BROCHURE | {"email": f"zoe{number}@exemple.fr"}, slot=slot)
        # It filled up meanwhile: the form comes back with its waiting list chosen.
        return visitor.send(answer.form("/portes-ouvertes")) if answer.status == 422 else answer

    with served(environ, workers=4) as site, ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(register, range(200)))

    assert Counter(page.status for page in answers) == {303: 200}
    assert len(export(app)) == 200
    with app.app_context():
        entries = in_order(int(slot))
        assert Counter(entry.state for entry in entries) == {CONFIRMED: 20, WAITING: 180}
        line = [entry.id for entry in entries if entry.state is WAITING]
        _widen(int(slot), by=7)
        assert [entry.id for entry in in_order(int(slot)) if entry.state is OFFERED] == line[:7]


def test_cancellations_that_race_with_newcomers_pass_their_seats_on_in_order(app: Flask) -> None:
    with app.app_context(), writing():
        slot_id = plan_slot(capacity=10, starts_at=STARTS_AT).id
    seated = _each(app, 10, lambda _: _book(slot_id))
    waiting = _each(app, 6, lambda _: _book(slot_id))

    _each(app, 16, lambda number: _cancel(seated[number]) if number < 6 else _book(slot_id))

    with app.app_context():
        entries = in_order(slot_id)
        states = {entry.id: entry.state for entry in entries}
        assert sum(entry.seats for entry in entries if entry.state in SEATED) == 10
        # Six seats were freed, six had waited for them, and whoever came meanwhile stands behind.
        assert [states[entry] for entry in waiting] == [OFFERED] * 6
        assert Counter(state for entry, state in states.items() if entry > max(waiting)) == {WAITING: 10}


def test_offer_in_a_slot_that_moves_nearer_ends_sooner(app: Flask) -> None:
    now = STARTS_AT - timedelta(days=20)
    with app.app_context():
        with writing():
            slot = plan_slot(capacity=1, starts_at=STARTS_AT)
            seated, waiting = book(slot, now=now), book(slot, now=now)
            cancel(db.session(), seated, now=now)
            slot_id, waiting_id = slot.id, waiting.id
        assert db.session.get_one(Registration, waiting_id).offered_until == now + LONGEST_OFFER

        with writing():
            nearer = SlotPlan(starts_at=now + timedelta(hours=4), ends_at=now + timedelta(hours=5), capacity=1)
            edit_slot(db.session(), db.session.get_one(Slot, slot_id), nearer, now=now)

        assert db.session.get_one(Registration, waiting_id).offered_until == now + timedelta(hours=1)


def _each(app: Flask, count: int, act: Callable[[int], Result]) -> list[Result]:
    """At once, each in a thread and a connection of its own; PostgreSQL and SQLite decide who is first."""
    ready = threading.Barrier(count)

    def run(number: int) -> Result:
        with app.app_context():
            ready.wait()
            with writing():
                return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def _book(slot_id: int) -> int:
    return book(db.session.get_one(Slot, slot_id), now=utc_now()).id


def _cancel(key: int) -> int:
    cancel(db.session(), db.session.get_one(Registration, key), now=utc_now())
    return key


def _widen(slot_id: int, *, by: int) -> None:
    slot = db.session.get_one(Slot, slot_id)
    plan = SlotPlan(starts_at=slot.starts_at, ends_at=slot.ends_at, capacity=slot.capacity + by)
    with writing():
        edit_slot(db.session(), db.session.get_one(Slot, slot_id), plan, now=utc_now())
