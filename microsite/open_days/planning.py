"""Planning open days, changing and cancelling them. Callers commit."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Self

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from ..outbox.emails import Email
from ..outbox.services import enqueue
from .models import EXPECTED, OVER, OpenDay, Registration, RegistrationState, Slot
from .queries import seats_taken
from .seats import SlotClosed, lock_slot, offer_end, pass_on

MOVED_EMAIL = Email(name="moved", label="autre horaire ou autre lieu", owed_by=Registration, is_capped=False)
CALLED_OFF_EMAIL = Email(name="called_off", label="créneau annulé par l’école", owed_by=Registration, is_capped=False)
# Ends the cause of a mail to somebody who had no seat: once all are cancelled, nothing else tells.
SEATLESS = ".seatless"


@dataclass(frozen=True, kw_only=True)
class DayPlan:
    """What a day says of itself. `online_url` makes it one online."""

    title: str
    place: str
    access: str = ""
    description: str = ""
    online_url: str = ""

    @classmethod
    def of(cls, day: OpenDay) -> Self:
        """As it is now."""
        return cls(**{field.name: getattr(day, field.name) for field in fields(cls)})

    def is_elsewhere(self, old: Self) -> bool:
        """Whether whoever was told where the old one is has to know. Staff alone read the place of a day online."""
        is_same_place = self.place == old.place or bool(self.online_url and old.online_url)
        return self.online_url != old.online_url or not is_same_place


@dataclass(frozen=True, kw_only=True)
class SlotPlan:
    """A slot to be added; aware times. Registration is open from `opens_at` or at once, to `closes_at` or the start."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None

    @classmethod
    def of(cls, slot: Slot) -> Self:
        """As it is now."""
        return cls(**{field.name: getattr(slot, field.name) for field in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class SlotEdited:
    """Seats taken now; how many people are told of another time, and how many are offered seats."""

    taken: int
    told: int
    offered: int


def lock_planning(session: Session) -> None:
    """Let nobody else plan until the transaction ends, so that what is planned already can be looked at first.

    SQLite's writing transaction is lock enough. Registering goes on: it locks slots alone.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE open_days IN SHARE ROW EXCLUSIVE MODE"))


def plan_open_day(
    session: Session, plan: DayPlan, slots: Iterable[SlotPlan], *, now: datetime, is_sample: bool = False
) -> OpenDay:
    day = OpenDay(**asdict(plan), is_sample=is_sample, created_at=now)
    session.add(day)
    add_slots(session, day, slots, now=now)
    return day


def add_slots(session: Session, day: OpenDay, slots: Iterable[SlotPlan], *, now: datetime) -> None:
    """More of them, for a new day or a planned one."""
    day.slots.extend(Slot(**asdict(slot), added_at=now) for slot in slots)
    session.flush()


def edit_day(session: Session, day: OpenDay, plan: DayPlan, *, now: datetime) -> int:
    """What it says of itself; who has registered is told, once a registration, of another place: how many those are."""
    is_elsewhere = plan.is_elsewhere(DayPlan.of(day))
    for name, value in asdict(plan).items():
        setattr(day, name, value)
    if not is_elsewhere:
        return 0
    return sum(len(_notify(session, slot, MOVED_EMAIL, now=now)) for slot in _ahead(session, day, now=now))


def edit_slot(session: Session, slot: Slot, plan: SlotPlan, *, now: datetime) -> SlotEdited:
    """Change it, offer what becomes free, tell who has registered, once, of another time.

    A capacity below what is taken drops nobody. Raises SlotClosed for one that has begun or is cancelled.
    """
    fresh = lock_slot(session, slot.id)
    if fresh is None or fresh.cancelled_at is not None or fresh.starts_at <= now:
        raise SlotClosed(slot.id)
    is_moved = (fresh.starts_at, fresh.ends_at) != (plan.starts_at, plan.ends_at)
    for name, value in asdict(plan).items():
        setattr(fresh, name, value)
    told: Sequence[Registration] = ()
    if is_moved:
        fresh.early_reminder_at = fresh.late_reminder_at = None
        _shorten_offers(session, fresh, now=now)
        told = _notify(session, fresh, MOVED_EMAIL, now=now)
    before = _offered(session, fresh)
    pass_on(session, fresh, now=now)
    offered = _offered(session, fresh) - before
    taken = seats_taken(session, fresh.id)
    fresh.seats_kept = taken if taken > fresh.capacity else None
    return SlotEdited(taken=taken, told=len(told), offered=len(offered))


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
    told = _notify(session, fresh, CALLED_OFF_EMAIL, now=now)
    for registration in told:
        registration.state = RegistrationState.CANCELLED
    return len(told)


def _ahead(session: Session, day: OpenDay, *, now: datetime) -> list[Slot]:
    """Its slots that will take place, each locked, in the order of their ids: two who lock several never cross."""
    ids = sorted(slot.id for slot in day.slots)
    slots = (lock_slot(session, slot_id) for slot_id in ids)
    return [slot for slot in slots if slot is not None and slot.cancelled_at is None and slot.starts_at > now]


def _shorten_offers(session: Session, slot: Slot, *, now: datetime) -> None:
    end = offer_end(slot, now=now)
    too_long = Registration.offered_until > end
    session.execute(update(Registration).where(Registration.slot_id == slot.id, too_long).values(offered_until=end))


def _offered(session: Session, slot: Slot) -> set[int]:
    offered = Registration.slot_id == slot.id, Registration.state == RegistrationState.OFFERED
    return set(session.scalars(select(Registration.id).where(*offered)))


def _notify(session: Session, slot: Slot, email: Email, *, now: datetime) -> Sequence[Registration]:
    """Decide this mail for everybody who has a seat or waits, under a new SEQUENCE; who they are."""
    slot.sequence += 1
    active = Registration.state.not_in(OVER)
    registrations = session.scalars(select(Registration).where(Registration.slot_id == slot.id, active)).all()
    for registration in registrations:
        cause = f"{registration.submission.reference}.{slot.sequence}"
        cause += "" if registration.state in EXPECTED else SEATLESS
        enqueue(session, email, cause=cause, lead_id=registration.lead_id, now=now)
    return registrations
