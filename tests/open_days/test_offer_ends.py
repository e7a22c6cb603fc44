"""Until when an offer holds its seats: never until the middle of the night, nor too late for the next one."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from microsite.db import db, writing
from microsite.formatters import PARIS
from microsite.open_days.models import Registration, RegistrationState, Slot
from microsite.open_days.planning import SlotPlan, edit_slot
from microsite.open_days.seats import LONGEST_OFFER, offer_end
from microsite.open_days.services import cancel

from .people import book, plan_slot

MORNING, NIGHT = time(9), time(22)
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


def _paris(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=PARIS).astimezone(UTC)


def _end(made: str, begins: str) -> str:
    slot = Slot(starts_at=_paris(begins))
    return f"{offer_end(slot, now=_paris(made)).astimezone(PARIS):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("made", "begins", "end"),
    [
        # They ran out at one, and at a quarter past three.
        ("2027-02-05 22:00", "2027-02-06 10:00", "2027-02-06 09:00"),
        ("2027-02-06 01:00", "2027-02-06 10:00", "2027-02-06 09:00"),
        ("2027-02-06 02:00", "2027-02-06 10:00", "2027-02-06 09:00"),
        # Sooner than nine, where the slot is.
        ("2027-02-05 22:00", "2027-02-06 09:15", "2027-02-06 08:45"),
        ("2027-02-06 02:00", "2027-02-06 09:00", "2027-02-06 08:30"),
        ("2027-02-05 23:00", "2027-02-06 08:00", "2027-02-06 07:30"),
        # Late in the evening is night.
        ("2027-02-05 20:00", "2027-02-06 10:00", "2027-02-06 09:00"),
        ("2027-02-05 22:30", "2027-02-10 10:00", "2027-02-07 09:00"),
        # By day the quarter stays.
        ("2027-02-05 10:00", "2027-02-06 10:00", "2027-02-05 16:00"),
        ("2027-02-04 10:00", "2027-02-06 10:00", "2027-02-04 22:00"),
        ("2027-02-06 10:00", "2027-02-06 14:00", "2027-02-06 11:00"),
        ("2027-02-01 12:00", "2027-02-06 10:00", "2027-02-02 12:00"),
        # Half an hour before is over already: a quarter of what is left.
        ("2027-02-06 08:55", "2027-02-06 09:15", "2027-02-06 09:00"),
        # The nights that are an hour shorter, and longer.
        ("2027-03-27 22:00", "2027-03-28 10:00", "2027-03-28 09:00"),
        ("2027-10-30 22:00", "2027-10-31 10:00", "2027-10-31 09:00"),
        ("2027-03-28 01:30", "2027-03-28 09:15", "2027-03-28 08:45"),
    ],
)
def test_offer_ends_by_day(made: str, begins: str, end: str) -> None:
    assert _end(made, begins) == end


@given(
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 30 * 24 * 60),
)
@settings(deadline=None, max_examples=500)
def test_no_offer_ends_at_night_or_too_late(day: date, minute: int, left: int) -> None:
    now = datetime.combine(day, time(), tzinfo=UTC) + timedelta(minutes=minute)
    slot = Slot(starts_at=now + timedelta(minutes=left))

    end = offer_end(slot, now=now)

    quarter = now + min(LONGEST_OFFER, timedelta(minutes=left) / 4)
    local = end.astimezone(PARIS)
    assert now < end < slot.starts_at
    assert end >= quarter
    if end != quarter:
        assert local.time() == MORNING or end == slot.starts_at - HALF_AN_HOUR
    if not MORNING <= local.time() <= NIGHT:
        assert end >= slot.starts_at - HALF_AN_HOUR
    assert end - quarter <= timedelta(hours=12), "a night is eleven hours, twelve in autumn"


def test_offer_made_at_night_waits_for_the_morning_and_a_slot_that_moves_shortens_it(app: Flask) -> None:
    now = _paris("2027-02-05 22:00")
    with app.app_context():
        with writing():
            slot = plan_slot(capacity=1, starts_at=_paris("2027-02-06 10:00"))
            seated, waiting = (book(slot, now=now - timedelta(days=3)) for _ in range(2))
            cancel(db.session(), seated, now=now)
            slot_id, waiting_id = slot.id, waiting.id
        offered = db.session.get_one(Registration, waiting_id)
        assert (offered.state, offered.offered_until) == (RegistrationState.OFFERED, _paris("2027-02-06 09:00"))

        with writing():
            begins = _paris("2027-02-06 09:00")
            nearer = SlotPlan(starts_at=begins, ends_at=begins + timedelta(hours=2), capacity=1)
            edit_slot(db.session(), db.session.get_one(Slot, slot_id), nearer, now=now)

        assert db.session.get_one(Registration, waiting_id).offered_until == _paris("2027-02-06 08:30")
