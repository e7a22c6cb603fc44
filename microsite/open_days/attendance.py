"""Who came: checked in by reference, or come without having registered. Callers commit."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ..campaigns.attribution import Attribution
from ..formatters import PARIS
from ..leads.models import FormName
from ..leads.queries import find_by_reference, find_lead, hold_lead
from ..leads.receipts import Receipt
from ..leads.services import Person, Sending, capture
from .models import SEATED, Registration, RegistrationState, Slot
from .queries import find_last_registration, find_registration
from .seats import SlotClosed, SlotFull, lock_slot, pass_on


class NotExpected(ValueError):
    """They have no seat, or none today."""


@dataclass(frozen=True, kw_only=True)
class CheckedIn:
    registration: Registration
    # Somebody did it before; the first time stays.
    is_repeated: bool


def check_in(session: Session, reference: str, *, now: datetime) -> CheckedIn:
    """Record the arrival of the person with this reference. Raises NotExpected."""
    registration = find_arriving(session, reference)
    if registration is None:
        raise NotExpected
    lock_slot(session, registration.slot_id)
    session.refresh(registration)
    if registration.state not in SEATED or not is_today(registration.slot, now=now):
        raise NotExpected
    return _attend(registration, now=now)


def undo(session: Session, reference: str, *, now: datetime) -> bool:
    """Take back an arrival that was noted by mistake today; False where none is.

    Who was registered is expected again, who waited waits again; who came unregistered is out.
    """
    registration = find_arriving(session, reference)
    if registration is None:
        return False
    slot = lock_slot(session, registration.slot_id)
    session.refresh(registration)
    if slot is None or registration.state is not RegistrationState.ATTENDED or not is_today(slot, now=now):
        return False
    registration.state = _before_arriving(registration)
    registration.checked_in_at, registration.is_walk_in = None, False
    pass_on(session, slot, now=now)
    return True


def find_arriving(session: Session, reference: str) -> Registration | None:
    """The registration that this submission led to, or that its lead had already in this slot: the last one."""
    submission = find_by_reference(session, reference)
    if submission is None or submission.lead_id is None or submission.answers.get("slot_id") is None:
        return None
    return find_last_registration(session, lead_id=submission.lead_id, slot_id=submission.answers["slot_id"])


def walk_in(session: Session, person: Person, *, slot_id: int, companions: int, now: datetime) -> CheckedIn:
    """Seat somebody who came unregistered, as long as there are seats. Raises SlotFull, SlotClosed.

    Who has registered after all is checked in; who waits gets the seats that are left, for they are here.
    """
    planned = session.get(Slot, slot_id)
    if planned is None:
        raise SlotClosed(slot_id)
    # Before the slot is locked, as the form does: two who lock lead and slot never cross.
    hold_lead(session, person.email)
    is_known = _active(session, person, slot_id) is not None
    receipt = None if is_known else _capture(session, person, planned, companions, now=now)
    slot = lock_slot(session, slot_id)
    if slot is None or slot.cancelled_at is not None or slot.ends_at <= now or not is_today(slot, now=now):
        raise SlotClosed(slot_id)
    registration = _active(session, person, slot_id)
    if registration is not None and registration.state in SEATED:
        return _attend(registration, now=now)
    remaining = pass_on(session, slot, now=now)
    # Whoever waited may just have been offered their seats.
    own = registration.seats if registration is not None and registration.state in SEATED else 0
    if remaining + own < 1 + companions:
        raise SlotFull(remaining + own)
    if registration is None:
        receipt = receipt or _capture(session, person, slot, companions, now=now)
        registration = Registration(submission_id=receipt.id, lead_id=receipt.lead_id, slot=slot, created_at=now)
        session.add(registration)
    registration.companions, registration.is_walk_in = companions, True
    checked_in = _attend(registration, now=now)
    # Whoever waited with more people than they bring leaves some to those behind.
    pass_on(session, slot, now=now)
    return checked_in


def is_today(slot: Slot, *, now: datetime) -> bool:
    """By the calendar in Paris."""
    return slot.starts_at.astimezone(PARIS).date() == now.astimezone(PARIS).date()


def _before_arriving(registration: Registration) -> RegistrationState:
    if not registration.is_walk_in:
        return RegistrationState.CONFIRMED
    # Whoever came unregistered has a registration that is no older than their arrival.
    was_waiting = registration.checked_in_at is not None and registration.created_at < registration.checked_in_at
    return RegistrationState.WAITING if was_waiting else RegistrationState.CANCELLED


def _attend(registration: Registration, *, now: datetime) -> CheckedIn:
    is_repeated = registration.state is RegistrationState.ATTENDED
    registration.state = RegistrationState.ATTENDED
    registration.checked_in_at = registration.checked_in_at or now
    registration.offered_until = None
    return CheckedIn(registration=registration, is_repeated=is_repeated)


def _capture(session: Session, person: Person, slot: Slot, companions: int, *, now: datetime) -> Receipt:
    answers = {
        "slot_id": slot.id,
        "slot_starts_at": slot.starts_at.isoformat(),
        "slot_ends_at": slot.ends_at.isoformat(),
        "may_wait": False,
        "companions": companions,
        "access_needs": "",
    }
    sending = Sending(
        form=FormName.OPEN_DAY,
        nonce=secrets.token_hex(16),
        person=person,
        programme=None,
        level=None,
        answers=answers,
        agreed=(),
        attribution=Attribution(),
    )
    return capture(session, sending, now=now).receipt


def _active(session: Session, person: Person, slot_id: int) -> Registration | None:
    lead = find_lead(session, person.email)
    registration = find_registration(session, lead_id=lead.id, slot_id=slot_id) if lead else None
    if registration is not None:
        session.refresh(registration)
    return registration
