"""A slot's seats, and who gets those that are free. What changes them runs under the slot's lock."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ..formatters import PARIS
from ..outbox.emails import Email
from ..outbox.services import enqueue
from .models import Registration, RegistrationState, Slot
from .queries import seats_taken

# Nobody outside can cause it, however often they send the form.
OFFER_EMAIL = Email(name="offer", label="place proposée", owed_by=Registration, is_capped=False)
# How long an offer holds its seats: a quarter of the time left, this at most; and until the morning, in Paris, where it
# would end at night, when nobody reads it. But not beyond the last call, so that a seat nobody takes is passed on.
LONGEST_OFFER = timedelta(hours=24)
_SHARE = 4
_MORNING, _NIGHT = time(9), time(22)
_LAST_CALL = timedelta(minutes=30)


class SlotFull(ValueError):
    """Fewer seats left than the party needs; `remaining` says how many."""

    def __init__(self, remaining: int) -> None:
        super().__init__(remaining)
        self.remaining = remaining


class SlotClosed(ValueError):
    """The slot has begun, is cancelled or doesn't exist, or registration isn't open."""


def lock_slot(session: Session, slot_id: int) -> Slot | None:
    """The slot as it stands now, changed by nobody else until the transaction ends.

    SQLite's writing transaction is lock enough; on PostgreSQL it is the row's.
    """
    fresh = select(Slot).where(Slot.id == slot_id).with_for_update().execution_options(populate_existing=True)
    return session.scalar(fresh)


def pass_on(session: Session, slot: Slot, *, now: datetime) -> int:
    """End the offers that nobody answered, offer what is free to those who wait; how many seats are left then.

    The earliest entry whose party fits is first; those it skips keep their place. Whatever is left fits nobody who
    waits, so that a newcomer may have it. The slot is locked.
    """
    for lapsed in session.scalars(_in_state(slot, RegistrationState.OFFERED).where(Registration.offered_until <= now)):
        lapsed.state = RegistrationState.EXPIRED
    free = slot.capacity - seats_taken(session, slot.id)
    # A capacity lowered below what is taken drops nobody and offers nothing.
    if free <= 0 or slot.cancelled_at is not None or slot.starts_at <= now:
        return max(0, free)
    fitting = _in_state(slot, RegistrationState.WAITING).where(Registration.companions < free)
    for entry in session.scalars(fitting.order_by(Registration.id)):
        if entry.seats <= free:
            _offer(session, slot, entry, now=now)
            free -= entry.seats
    return free


def offer_end(slot: Slot, *, now: datetime) -> datetime:
    """Until when an offer that is made now holds its seats."""
    end = now + min(LONGEST_OFFER, (slot.starts_at - now) / _SHARE)
    return max(end, min(_by_day(end), slot.starts_at - _LAST_CALL))


def _by_day(moment: datetime) -> datetime:
    """The moment, or the end of the night that it falls into."""
    local = moment.astimezone(PARIS)
    if _MORNING <= local.time() <= _NIGHT:
        return moment
    day = local.date() + timedelta(days=1 if local.time() > _NIGHT else 0)
    return datetime.combine(day, _MORNING, tzinfo=PARIS).astimezone(UTC)


def _offer(session: Session, slot: Slot, entry: Registration, *, now: datetime) -> None:
    entry.state = RegistrationState.OFFERED
    entry.offered_until = offer_end(slot, now=now)
    enqueue(session, OFFER_EMAIL, cause=entry.submission.reference, lead_id=entry.lead_id, now=now)


def _in_state(slot: Slot, state: RegistrationState) -> Select[Registration]:
    return select(Registration).where(Registration.slot_id == slot.id, Registration.state == state)
