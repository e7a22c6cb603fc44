"""Open days that are none, so that a new installation can be tried. Callers commit."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..formatters import PARIS
from .models import OVER, Alert, OpenDay, Registration, Slot
from .planning import DayPlan, SlotPlan, plan_open_day


def plan_samples(session: Session, *, now: datetime) -> None:
    """Two open days on coming Saturdays, marked as samples, so that a new installation can be tried."""
    today = now.astimezone(PARIS).date()
    saturday = today + timedelta(days=(5 - today.weekday()) % 7 + 21)
    for day, capacity in ((saturday, 30), (saturday + timedelta(weeks=4), 4)):
        slots = [SlotPlan(starts_at=_at(day, hour), ends_at=_at(day, hour + 2), capacity=capacity) for hour in (10, 14)]
        plan = DayPlan(title="Journée portes ouvertes", place="lieu d’exemple")
        plan_open_day(session, plan, slots, now=now, is_sample=True)


def remove_samples(session: Session) -> tuple[int, int]:
    """Delete the sample days; whoever is registered in one is to be told of the next date. Counts days and people."""
    days = session.scalars(select(OpenDay.id).where(OpenDay.is_sample)).all()
    slots = select(Slot.id).where(Slot.open_day_id.in_(days))
    registrations = session.scalars(select(Registration).where(Registration.slot_id.in_(slots))).all()
    # Who gave their seat back has said what they want.
    expecting = [registration for registration in registrations if registration.state not in OVER]
    for registration in expecting:
        # As of then: real days that were planned before the samples went are news to them.
        asked = {"submission_id": registration.submission_id, "lead_id": registration.lead_id}
        session.add(Alert(**asked, created_at=registration.created_at))
    for registration in registrations:
        session.delete(registration)
    session.flush()
    session.execute(delete(Slot).where(Slot.open_day_id.in_(days)))
    session.execute(delete(OpenDay).where(OpenDay.id.in_(days)))
    return len(days), len(expecting)


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=PARIS).astimezone(UTC)
