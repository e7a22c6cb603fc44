"""What falls due by itself: offers that end, reminders, thanks, telling who asked about new dates.

Looked for by the background worker of every process; each step is decided once, under the slot's lock.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from ..outbox.emails import Email
from ..outbox.services import enqueue
from .models import Alert, OpenDay, Registration, RegistrationState, Slot
from .seats import lock_slot, pass_on

REMINDER_EMAIL = Email(name="reminder", label="rappel, deux jours avant", owed_by=Registration, is_capped=False)
LATE_REMINDER_EMAIL = Email(name="reminder_late", label="rappel, le jour même", owed_by=Registration, is_capped=False)
THANKS_EMAIL = Email(name="thanks", label="remerciement après la visite", owed_by=Registration, is_capped=False)
NEW_DATES_EMAIL = Email(name="announcement", label="nouvelles dates", owed_by=Alert, is_capped=False)

EARLY, LATE = timedelta(hours=48), timedelta(hours=3)
# An early reminder that comes later than this is left to the late one.
TOO_LATE = timedelta(hours=24)
# People get home first; and a thank-you that was held up for days says nothing any more.
_THANKS_AFTER, THANKS_WITHIN = timedelta(hours=2), timedelta(days=3)
# A day that was just added may still be corrected, or taken back: whoever was told of it wouldn't be told again.
_ANNOUNCED_AFTER = timedelta(minutes=10)
# People told of a new date in one transaction.
_CROWD = 50


def due_slots(session: Session, *, now: datetime) -> list[int]:
    """Slots where an offer has ended, or a reminder or a thank-you is due."""
    ahead = and_(Slot.cancelled_at.is_(None), Slot.starts_at > now)
    early = and_(ahead, Slot.starts_at <= now + EARLY, Slot.early_reminder_at.is_(None))
    late = and_(ahead, Slot.starts_at <= now + LATE, Slot.late_reminder_at.is_(None))
    over = and_(
        Slot.cancelled_at.is_(None),
        Slot.ends_at <= now - _THANKS_AFTER,
        Slot.ends_at > now - THANKS_WITHIN,
        Slot.thanked_at.is_(None),
    )
    lapsed = exists().where(
        Registration.slot_id == Slot.id,
        Registration.state == RegistrationState.OFFERED,
        Registration.offered_until <= now,
    )
    return list(session.scalars(select(Slot.id).where(or_(early, late, over, lapsed)).order_by(Slot.id)))


def follow_slot(session: Session, slot_id: int, *, now: datetime) -> None:
    """Do what is due in this slot."""
    slot = lock_slot(session, slot_id)
    if slot is None or slot.cancelled_at is not None:
        return
    pass_on(session, slot, now=now)
    left = slot.starts_at - now
    if timedelta(0) < left <= EARLY and slot.early_reminder_at is None:
        slot.early_reminder_at = now
        if left > TOO_LATE:
            _enqueue_for_slot(session, slot, REMINDER_EMAIL, RegistrationState.CONFIRMED, now=now)
    if timedelta(0) < left <= LATE and slot.late_reminder_at is None:
        slot.late_reminder_at = now
        _enqueue_for_slot(session, slot, LATE_REMINDER_EMAIL, RegistrationState.CONFIRMED, now=now)
    if slot.ends_at + _THANKS_AFTER <= now and slot.thanked_at is None:
        slot.thanked_at = now
        _enqueue_for_slot(session, slot, THANKS_EMAIL, _state_of_who_came(session, slot), now=now)


def is_anyone_to_tell(session: Session, *, now: datetime) -> bool:
    return session.scalar(select(Alert.id).where(_can_be_told(now)).limit(1)) is not None


def tell_of_new_dates(session: Session, *, now: datetime) -> None:
    """Decide the mail for some of those who asked to be told, and for whom a day was added since; one a lead."""
    alerts = select(Alert).where(_can_be_told(now)).order_by(Alert.id).limit(_CROWD)
    # Whoever comes second waits, then finds them told: with each other's rows skipped, somebody who asked twice would
    # be told by two workers.
    told: set[int] = set()
    for alert in session.scalars(alerts.with_for_update()).all():
        if alert.lead_id in told:
            continue
        told.add(alert.lead_id)
        enqueue(session, NEW_DATES_EMAIL, cause=alert.submission.reference, lead_id=alert.lead_id, now=now)
    of_theirs = update(Alert).where(Alert.lead_id.in_(told), _can_be_told(now))
    session.execute(of_theirs.values(told_at=now).execution_options(synchronize_session=False))


def _enqueue_for_slot(session: Session, slot: Slot, email: Email, state: RegistrationState, *, now: datetime) -> None:
    registrations = select(Registration).where(Registration.slot_id == slot.id, Registration.state == state)
    for registration in session.scalars(registrations).all():
        # A slot that moves is a new reason.
        cause = f"{registration.submission.reference}.{slot.sequence}"
        enqueue(session, email, cause=cause, lead_id=registration.lead_id, now=now)


def _state_of_who_came(session: Session, slot: Slot) -> RegistrationState:
    """Where nobody was checked in, all who had a seat are taken to have come."""
    attended = Registration.slot_id == slot.id, Registration.state == RegistrationState.ATTENDED
    is_anyone = session.scalar(select(Registration.id).where(*attended).limit(1)) is not None
    return RegistrationState.ATTENDED if is_anyone else RegistrationState.CONFIRMED


def _can_be_told(now: datetime) -> ColumnElement[bool]:
    # As the mail's composer sees it, for whoever is told of nothing has been told all the same.
    bookable = and_(
        Slot.cancelled_at.is_(None),
        Slot.capacity > 0,
        Slot.starts_at > now,
        or_(Slot.opens_at.is_(None), Slot.opens_at <= now),
        or_(Slot.closes_at.is_(None), Slot.closes_at > now),
    )
    added_at = func.coalesce(Slot.added_at, OpenDay.created_at)
    is_settled = and_(added_at <= now - _ANNOUNCED_AFTER, OpenDay.is_sample.is_(False))
    # What could be booked when they asked didn't suit them.
    is_new = or_(added_at > Alert.created_at, Slot.opens_at > Alert.created_at)
    return and_(
        Alert.told_at.is_(None),
        exists().where(Slot.open_day_id == OpenDay.id, bookable, is_settled, is_new),
    )
