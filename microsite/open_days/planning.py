"""Planning open days, changing and cancelling them. Callers commit."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ..outbox.services import enqueue
from ..school import PARIS
from .models import OVER, Alert, OpenDay, Registration, RegistrationState, Slot
from .queries import seats_taken
from .seats import SlotClosed, lock_slot, pass_on

# Mails to those who registered: another time or place; it doesn't take place.
MOVED = "moved"
CALLED_OFF = "called_off"


@dataclass(frozen=True, kw_only=True)
class DayPlan:
    """What a day says of itself. `online_url` makes it one online."""

    title: str
    place: str
    access: str = ""
    description: str = ""
    online_url: str = ""


@dataclass(frozen=True, kw_only=True)
class SlotPlan:
    """A slot to be added; aware times. Registration is open from `opens_at` or at once, to `closes_at` or the start."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None


def plan_open_day(
    session: Session, plan: DayPlan, slots: Iterable[SlotPlan], *, now: datetime, is_sample: bool = False
) -> OpenDay:
    day = OpenDay(**asdict(plan), is_sample=is_sample, created_at=now)
    day.slots = [Slot(**asdict(slot)) for slot in slots]
    session.add(day)
    session.flush()
    return day


def edit_day(session: Session, day: OpenDay, plan: DayPlan, *, now: datetime) -> None:
    """What it says of itself; who has registered is told, once, of another place."""
    is_elsewhere = (day.place, day.online_url) != (plan.place, plan.online_url)
    for name, value in asdict(plan).items():
        setattr(day, name, value)
    if is_elsewhere:
        for slot in _ahead(session, day, now=now):
            _tell(session, slot, MOVED, now=now)


def edit_slot(session: Session, slot: Slot, plan: SlotPlan, *, now: datetime) -> int:
    """Change it, offer what becomes free, tell who has registered, once, of another time; how many seats are taken.

    A capacity below what is taken drops nobody. Raises SlotClosed for one that has begun or is cancelled.
    """
    fresh = lock_slot(session, slot.id)
    if fresh is None or fresh.cancelled_at is not None or fresh.starts_at <= now:
        raise SlotClosed(slot.id)
    is_moved = (fresh.starts_at, fresh.ends_at) != (plan.starts_at, plan.ends_at)
    for name, value in asdict(plan).items():
        setattr(fresh, name, value)
    if is_moved:
        fresh.early_reminder_at = fresh.late_reminder_at = None
        _shorten_offers(session, fresh)
        _tell(session, fresh, MOVED, now=now)
    pass_on(session, fresh, now=now)
    return seats_taken(session, fresh.id)


def cancel_day(session: Session, day: OpenDay, *, now: datetime) -> int:
    """Cancel its slots that haven't begun; how many people are told."""
    return sum(cancel_slot(session, slot, now=now) for slot in _ahead(session, day, now=now))


def cancel_slot(session: Session, slot: Slot, *, now: datetime) -> int:
    """Cancel it and the registrations in it; how many people are told. Raises SlotClosed for one that has begun."""
    fresh = lock_slot(session, slot.id)
    if fresh is None or fresh.starts_at <= now:
        raise SlotClosed(slot.id)
    if fresh.cancelled_at is not None:
        return 0
    fresh.cancelled_at = now
    told = _tell(session, fresh, CALLED_OFF, now=now)
    for registration in told:
        registration.state = RegistrationState.CANCELLED
    return len(told)


def plan_samples(session: Session, *, now: datetime) -> None:
    """Two open days on coming Saturdays, marked as samples, so that a new installation can be tried."""
    today = now.astimezone(PARIS).date()
    saturday = today + timedelta(days=(5 - today.weekday()) % 7 + 21)
    for day, capacity in ((saturday, 30), (saturday + timedelta(weeks=4), 4)):
        slots = [SlotPlan(starts_at=_at(day, hour), ends_at=_at(day, hour + 2), capacity=capacity) for hour in (10, 14)]
        plan = DayPlan(title="Journée portes ouvertes", place="lieu d’exemple")
        plan_open_day(session, plan, slots, now=now, is_sample=True)


def remove_samples(session: Session, *, now: datetime) -> tuple[int, int]:
    """Delete the sample days; whoever registered in one is to be told of the next date. Counts days and people."""
    days = session.scalars(select(OpenDay.id).where(OpenDay.is_sample)).all()
    slots = select(Slot.id).where(Slot.open_day_id.in_(days))
    registrations = session.scalars(select(Registration).where(Registration.slot_id.in_(slots))).all()
    for registration in registrations:
        session.add(Alert(submission_id=registration.submission_id, lead_id=registration.lead_id, created_at=now))
        session.delete(registration)
    session.flush()
    session.execute(delete(Slot).where(Slot.open_day_id.in_(days)))
    session.execute(delete(OpenDay).where(OpenDay.id.in_(days)))
    return len(days), len(registrations)


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=PARIS).astimezone(UTC)


def _ahead(session: Session, day: OpenDay, *, now: datetime) -> list[Slot]:
    """Its slots that will take place, each locked, in the order of their ids: two who lock several never cross."""
    ids = sorted(slot.id for slot in day.slots)
    slots = (lock_slot(session, slot_id) for slot_id in ids)
    return [slot for slot in slots if slot is not None and slot.cancelled_at is None and slot.starts_at > now]


def _shorten_offers(session: Session, slot: Slot) -> None:
    too_long = Registration.offered_until > slot.starts_at
    session.execute(
        update(Registration).where(Registration.slot_id == slot.id, too_long).values(offered_until=slot.starts_at)
    )


def _tell(session: Session, slot: Slot, template: str, *, now: datetime) -> Sequence[Registration]:
    """Decide this mail for everybody who has a seat or waits, under a new SEQUENCE; who they are."""
    slot.sequence += 1
    active = Registration.state.not_in(OVER)
    registrations = session.scalars(select(Registration).where(Registration.slot_id == slot.id, active)).all()
    for registration in registrations:
        enqueue(
            session,
            template=template,
            cause=f"{registration.submission.reference}.{slot.sequence}",
            lead_id=registration.lead_id,
            now=now,
            is_capped=False,
        )
    return registrations
