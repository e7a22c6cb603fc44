"""Whatever happens in whatever order: never more seats than there are, none lost, nobody overtaken."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from microsite.db import db, writing
from microsite.open_days.attendance import walk_in
from microsite.open_days.followups import due_slots, follow_slot
from microsite.open_days.models import OVER, SEATED, Registration, RegistrationState, Slot
from microsite.open_days.planning import SlotPlan, cancel_slot, edit_slot
from microsite.open_days.seats import LONGEST_OFFER, SlotClosed, SlotFull
from microsite.open_days.services import RegistrationOver, accept, cancel, change_companions

from .people import book, in_order, person, plan_slot

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
BEGINS = NOW + timedelta(days=5)
# From 22 h to 9 h no offer ends.
NIGHT = timedelta(hours=11)
PARTY = st.integers(0, 3)
WAITING, OFFERED = RegistrationState.WAITING, RegistrationState.OFFERED


@dataclass(frozen=True)
class Entry:
    """A registration as it was after the last step."""

    id: int
    state: RegistrationState
    seats: int


class _Slot(RuleBasedStateMachine):
    app: Flask
    bookings = Bundle("bookings")

    def __init__(self) -> None:
        super().__init__()
        self.context = self.app.app_context()
        self.context.push()
        self.now = NOW
        self.entries: list[Entry] = []
        self.capacity = 3
        with writing():
            self.slot_id = plan_slot(capacity=self.capacity, starts_at=BEGINS).id

    def teardown(self) -> None:
        self.context.pop()

    @property
    def slot(self) -> Slot:
        slot = db.session.get(Slot, self.slot_id)
        assert slot is not None
        return slot

    def attempt(self, *steps: Callable[[], object]) -> bool:
        """In a transaction; a refusal changes nothing."""
        try:
            with writing():
                for step in steps:
                    step()
        except (SlotFull, SlotClosed, RegistrationOver):
            return False
        return True

    def registration(self, key: int) -> Registration:
        registration = db.session.get(Registration, key)
        assert registration is not None
        return registration

    @rule(target=bookings, companions=PARTY, may_wait=st.booleans())
    def somebody_registers(self, companions: int, may_wait: bool) -> object:
        made: list[int] = []
        self.attempt(lambda: made.append(book(self.slot, companions=companions, may_wait=may_wait, now=self.now).id))
        return multiple(*made)

    @rule(booking=bookings, companions=PARTY)
    def number_changes(self, booking: int, companions: int) -> None:
        self.attempt(lambda: change_companions(db.session(), self.registration(booking), companions, now=self.now))

    @rule(booking=bookings)
    def somebody_cancels_or_leaves(self, booking: int) -> None:
        self.attempt(lambda: cancel(db.session(), self.registration(booking), now=self.now))

    @rule(booking=bookings)
    def offer_is_taken(self, booking: int) -> None:
        was_offered = self.registration(booking).state is OFFERED
        if self.attempt(lambda: accept(db.session(), self.registration(booking), now=self.now)) and was_offered:
            assert self.registration(booking).state is RegistrationState.CONFIRMED

    @rule(hours=st.sampled_from([1, 5, 12, 24]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        with writing():
            for slot_id in due_slots(db.session(), now=self.now):
                follow_slot(db.session(), slot_id, now=self.now)

    @precondition(lambda self: self.now < BEGINS)
    @rule(capacity=st.integers(0, 6))
    def capacity_is_edited(self, capacity: int) -> None:
        plan = SlotPlan(starts_at=BEGINS, ends_at=self.slot.ends_at, capacity=capacity)
        if self.attempt(lambda: edit_slot(db.session(), self.slot, plan, now=self.now)):
            self.capacity = capacity

    @rule(companions=PARTY)
    def somebody_walks_in(self, companions: int) -> None:
        self.attempt(lambda: walk_in(db.session(), person(), slot_id=self.slot_id, companions=companions, now=self.now))

    @precondition(lambda self: self.now < BEGINS)
    @rule()
    def slot_is_cancelled_at_the_very_end(self) -> None:
        if len(self.entries) > 12:
            self.attempt(lambda: cancel_slot(db.session(), self.slot, now=self.now))

    @invariant()
    def rules_hold(self) -> None:
        db.session.rollback()
        before = {entry.id: entry for entry in self.entries}
        self.entries = [Entry(one.id, one.state, one.seats) for one in in_order(self.slot_id)]
        self._no_more_than_there_are(before)
        if self.slot.cancelled_at is not None:
            assert all(entry.state in OVER for entry in self.entries)
        elif self.now < BEGINS:
            self._no_seat_is_lost_and_nobody_overtaken(before)
        self._offers_end_in_time()

    def _no_more_than_there_are(self, before: dict[int, Entry]) -> None:
        taken = _taken(self.entries)
        # A capacity lowered below what was taken drops nobody, and lets nobody else in.
        assert taken <= max(self.capacity, _taken(list(before.values())))

    def _no_seat_is_lost_and_nobody_overtaken(self, before: dict[int, Entry]) -> None:
        free = self.capacity - _taken(self.entries)
        for waiting in self.entries:
            if waiting.state is not WAITING:
                continue
            # What those behind have got in this step was free when it was this one's turn.
            passed_on = sum(
                entry.seats
                for entry in self.entries
                if entry.id > waiting.id and entry.state in SEATED and _was_outside(before.get(entry.id))
            )
            assert waiting.seats > free + passed_on

    def _offers_end_in_time(self) -> None:
        for registration in in_order(self.slot_id):
            if registration.state is OFFERED:
                assert registration.offered_until is not None
                assert self.now < registration.offered_until <= min(BEGINS, self.now + LONGEST_OFFER + NIGHT)


def _taken(entries: list[Entry]) -> int:
    return sum(entry.seats for entry in entries if entry.state in SEATED)


def _was_outside(entry: Entry | None) -> bool:
    return entry is None or entry.state not in SEATED


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_any_order_of_events_keeps_the_rules(app: Flask) -> None:
    machine = type("Machine", (_Slot,), {"app": app})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
        ),
    )
