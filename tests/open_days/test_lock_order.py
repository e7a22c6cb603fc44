"""Lead first, then slot: whoever locks both never crosses anybody. On PostgreSQL, where rows have locks of their own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from microsite.db import db, writing
from microsite.leads.models import Lead, Submission
from microsite.leads.services import Person
from microsite.open_days.attendance import walk_in
from microsite.open_days.models import Registration, RegistrationState, Slot
from microsite.open_days.seats import lock_slot
from microsite.open_days.services import cancel
from microsite.privacy.queries import lock_lead
from microsite.quarantine import release_all
from microsite.web.context import utc_now

from ..answers import BROCHURE
from ..page import CheckedClient
from ..waiting import wait_until
from .people import book, plan_slot

EMAIL = "zoe@exemple.fr"
HOUR = timedelta(hours=1)
_HUNG = 20


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_walk_in_whose_registration_is_being_cancelled_crosses_nobody(app: Flask) -> None:
    now = utc_now()
    with app.app_context(), writing():
        slot = plan_slot(capacity=5, starts_at=now)
        slot_id, registration_id = slot.id, book(slot, email=EMAIL, now=now - HOUR).id

    def cancels() -> None:
        cancel(db.session(), db.session.get_one(Registration, registration_id), now=now - HOUR)

    def walks_in() -> None:
        zoe = Person(first_name="Zoé", last_name="Lefèvre", email=EMAIL, phone=None)
        walk_in(db.session(), zoe, slot_id=slot_id, companions=0, now=now)

    _amid(app, cancels, walks_in, lambda: _press(slot_id))

    with app.app_context():
        states = list(db.session.scalars(select(Registration.state).order_by(Registration.id)))
        assert states == [RegistrationState.CANCELLED, RegistrationState.ATTENDED]


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_release_that_marks_a_lead_for_review_crosses_nobody(app: Flask, client: CheckedClient) -> None:
    with app.app_context(), writing():
        slot_id = plan_slot(capacity=5, starts_at=utc_now() + HOUR).id
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    held = BROCHURE | {"email": EMAIL, "slot": str(slot_id), "companions": "2", "topic": "Buy now"}
    assert client.send(form, **held).status == 303
    with app.app_context(), writing():
        book(db.session.get_one(Slot, slot_id), email=EMAIL, now=utc_now())
        held_id = db.session.scalars(select(Submission.id).where(Submission.lead_id.is_(None))).one()

    def releases() -> None:
        release_all(db.session(), [held_id], notify_every="none", now=utc_now(), done=lambda _submission: None)

    _amid(app, lambda: lock_slot(db.session(), slot_id), releases, lambda: _press(slot_id))

    with app.app_context():
        assert db.session.scalars(select(Lead.needs_review)).all() == [True]


def _press(slot_id: int) -> None:
    """What each button of the personal page locks."""
    lock_lead(db.session(), db.session.scalars(select(Lead).where(Lead.email == EMAIL)).one())
    lock_slot(db.session(), slot_id)


def _amid(app: Flask, holder: Callable[[], object], *others: Callable[[], object]) -> None:
    """The others come one after the other while the first one's transaction is open, each until it waits for a lock."""
    with ThreadPoolExecutor(len(others)) as pool:
        waiting: list[Future[None]] = []
        with app.app_context(), writing():
            holder()
            db.session.flush()
            for other in others:
                waiting.append(pool.submit(_in_a_transaction, app, other))
                _wait_for_waiting(len(waiting))
        for one in waiting:
            one.result(_HUNG)


def _in_a_transaction(app: Flask, act: Callable[[], object]) -> None:
    with app.app_context(), writing():
        act()


def _wait_for_waiting(count: int) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    def all_wait() -> bool:
        # What this transaction has seen of the statistics is what it goes on seeing.
        db.session.scalar(text("SELECT pg_stat_clear_snapshot()"))
        return bool(db.session.scalar(waiting) == count)

    wait_until(all_wait, "each of them waits for a lock")
