"""Which slots can be booked, and how many seats are left."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from .models import OVER, SEATED, Alert, OpenDay, Registration, Slot


@dataclass(frozen=True, kw_only=True)
class SlotSeats:
    """A slot as a form or a list shows it; times in UTC."""

    slot_id: int
    title: str
    # Where it takes place, in words; `is_online` ones have their address in none of these.
    place: str
    access: str
    description: str
    is_online: bool
    is_sample: bool
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    opens_at: datetime | None
    closes_at: datetime | None
    is_cancelled: bool

    @property
    def remaining(self) -> int:
        # A capacity lowered below what is taken drops nobody and offers nothing.
        return max(0, self.capacity - self.taken)

    def has_closed(self, now: datetime) -> bool:
        """Whether nobody can register in it any more."""
        return self.is_cancelled or now >= min(self.starts_at, self.closes_at or self.starts_at)

    def opens_later(self, now: datetime) -> datetime | None:
        """When registration opens, if it hasn't yet."""
        return self.opens_at if self.opens_at is not None and self.opens_at > now else None


def upcoming_slots(session: Session, *, now: datetime, also: int | None = None) -> list[SlotSeats]:
    """Slots that will take place, earliest first; the one with the id `also` even if it won't."""
    ahead = and_(Slot.starts_at > now, Slot.cancelled_at.is_(None))
    return _with_seats(session, select(Slot).where(or_(ahead, Slot.id == also)))


def all_slots(session: Session) -> list[SlotSeats]:
    return _with_seats(session, select(Slot))


def find_registration(session: Session, *, lead_id: int, slot_id: int) -> Registration | None:
    """The lead's registration in this slot that isn't over."""
    active = Registration.state.not_in(OVER)
    return session.scalar(select(Registration).filter_by(lead_id=lead_id, slot_id=slot_id).where(active))


def find_last_registration(session: Session, *, lead_id: int, slot_id: int) -> Registration | None:
    """The lead's latest registration in this slot, over or not."""
    own = select(Registration).filter_by(lead_id=lead_id, slot_id=slot_id)
    return session.scalar(own.order_by(Registration.id.desc()).limit(1))


def find_by_submission(session: Session, submission_id: int) -> Registration | None:
    return session.scalar(select(Registration).filter_by(submission_id=submission_id))


def find_alert(session: Session, submission_id: int) -> Alert | None:
    return session.scalar(select(Alert).filter_by(submission_id=submission_id))


def bookable_slots(session: Session, lead_id: int, *, now: datetime) -> list[Slot]:
    """Slots of real days that this lead can register in and hasn't, earliest first."""
    ahead = (
        select(Slot).join(Slot.open_day).where(OpenDay.is_sample.is_(False), Slot.starts_at > now, Slot.capacity > 0)
    )
    own = select(Registration.slot_id).where(Registration.lead_id == lead_id, Registration.state.not_in(OVER))
    slots = session.scalars(ahead.where(Slot.id.not_in(own)).order_by(Slot.starts_at, Slot.id))
    return [slot for slot in slots if slot.is_open(now)]


def seats_taken(session: Session, slot_id: int) -> int:
    seats = select(func.coalesce(func.sum(1 + Registration.companions), 0))
    return session.execute(seats.where(Registration.slot_id == slot_id, Registration.state.in_(SEATED))).scalar_one()


def waiting_alerts(session: Session) -> int:
    """How many people wait to be told of a new date."""
    return session.execute(select(func.count(Alert.lead_id.distinct())).where(Alert.told_at.is_(None))).scalar_one()


def _with_seats(session: Session, slots: Select[Slot]) -> list[SlotSeats]:
    taken = (
        select(func.coalesce(func.sum(1 + Registration.companions), 0))
        .where(Registration.slot_id == Slot.id, Registration.state.in_(SEATED))
        .correlate(Slot)
        .scalar_subquery()
    )
    rows = session.execute(
        slots.join(Slot.open_day)
        .options(contains_eager(Slot.open_day))
        .add_columns(taken)
        .order_by(Slot.starts_at, Slot.id)
    )
    return [_slot_seats(slot, count) for slot, count in rows]


def _slot_seats(slot: Slot, taken: int) -> SlotSeats:
    return SlotSeats(
        slot_id=slot.id,
        title=slot.open_day.title,
        place=slot.open_day.where,
        access=slot.open_day.access,
        description=slot.open_day.description,
        is_online=slot.open_day.is_online,
        is_sample=slot.open_day.is_sample,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        capacity=slot.capacity,
        taken=taken,
        opens_at=slot.opens_at,
        closes_at=slot.closes_at,
        is_cancelled=slot.cancelled_at is not None,
    )
