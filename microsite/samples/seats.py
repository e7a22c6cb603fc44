"""Open days of the two years and of the coming weeks, and who has a seat in them."""

import math
import random
from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from ..formatters import PARIS
from ..open_days.models import EXPECTED, OpenDay, RegistrationState, Slot
from .moments import DAYS

_SATURDAY = 5
# Weeks between two days; none in July and August.
_STEP, _AHEAD = 3, 10
_HOLIDAYS = (7, 8)
_HOURS = (10, 14, 16)
# Seats for each submission: some slots fill up, some don't.
_SEATS = 0.28
# Slots that somebody looks at.
_CHOICE = 6


class Seats:
    """Slots of sample days, in order, each with the seats that are taken."""

    def __init__(self, session: Session, *, count: int, now: datetime) -> None:
        """`count` submissions are to come."""
        days = _days(now)
        capacity = max(6, math.ceil(count * _SEATS / (len(days) * len(_HOURS))))
        planned = [_plan(day, capacity, now=now) for day in days]
        session.add_all(planned)
        session.flush()
        self.slots = [slot for day in planned for slot in day.slots]
        self._starts = [slot.starts_at for slot in self.slots]
        self._taken = dict.fromkeys((slot.id for slot in self.slots), 0)
        self._now = now
        # What is said of them stands: no query for each later on.
        session.expunge_all()

    def choose(self, rng: random.Random, at: datetime) -> Slot | None:
        """One of those to come; some people want none of them."""
        first = bisect_right(self._starts, at)
        coming = self.slots[first : first + _CHOICE]
        return rng.choice(coming) if coming and rng.random() < 0.75 else None

    def take(self, rng: random.Random, slot: Slot, party: int) -> RegistrationState | None:
        """Where a party stands by now; None where it is larger than the slot."""
        if self._taken[slot.id] + party > slot.capacity:
            return RegistrationState.WAITING if party <= slot.capacity else None
        if rng.random() < 0.08:
            return RegistrationState.CANCELLED
        self._taken[slot.id] += party
        has_come = slot.ends_at < self._now and rng.random() < 0.75
        return RegistrationState.ATTENDED if has_come else RegistrationState.CONFIRMED


def arrived_at(rng: random.Random, slot: Slot, state: RegistrationState) -> datetime | None:
    if state not in EXPECTED or state is RegistrationState.CONFIRMED:
        return None
    return slot.starts_at + timedelta(seconds=rng.randrange(-900, 2700))


def _days(now: datetime) -> list[date]:
    today = now.astimezone(PARIS).date()
    saturday = today + timedelta(days=(_SATURDAY - today.weekday()) % 7 or 7)
    weeks = range(-(DAYS // 7), _AHEAD, _STEP)
    days = [saturday + timedelta(weeks=week) for week in weeks]
    return [day for day in days if day.month not in _HOLIDAYS]


def _plan(day: date, capacity: int, *, now: datetime) -> OpenDay:
    slots = [_slot(day, hour, capacity, now=now) for hour in _HOURS]
    planned_at = slots[0].starts_at - timedelta(days=90)
    return OpenDay(
        title="Journée portes ouvertes", place="lieu d’exemple", is_sample=True, created_at=planned_at, slots=slots
    )


def _slot(day: date, hour: int, capacity: int, *, now: datetime) -> Slot:
    starts_at = datetime.combine(day, time(hour), tzinfo=PARIS).astimezone(UTC)
    ends_at = starts_at + timedelta(hours=2)
    # As if all that is due had been decided: nobody is there to be reminded, or thanked.
    return Slot(
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=capacity,
        early_reminder_at=now,
        late_reminder_at=now,
        thanked_at=now,
    )
