"""What visitors do: register or wait, change, cancel, take an offer. Callers commit; each locks the slot first."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ..leads.models import Lead, Submission
from ..leads.receipts import Receipt
from ..outbox.emails import Email
from ..outbox.services import enqueue
from .models import OVER, SEATED, Alert, Registration, RegistrationState, Slot
from .queries import find_registration
from .seats import SlotClosed, SlotFull, lock_slot, pass_on

REGISTRATION_EMAIL = Email(name="registration", label="inscription aux portes ouvertes", owed_by=Submission)
# Only who was offered a seat can cause it.
ACCEPTANCE_EMAIL = replace(REGISTRATION_EMAIL, owed_by=Registration, is_capped=False)
ALERT_EMAIL = Email(name="alert", label="promesse de prévenir des prochaines dates", owed_by=Submission)
CANCELLATION_EMAIL = Email(name="cancelled", label="inscription annulée", owed_by=Registration, is_capped=False)
# Ends the cause of the mail to who took an offer, whose first mail told that they wait.
ACCEPTED = ".accepted"


class RegistrationOver(ValueError):
    """It is cancelled, its offer went to somebody else, or its slot has begun: nothing can be changed any more."""

    def __init__(self, registration: Registration) -> None:
        super().__init__(registration.id)
        self.registration = registration


def follow_up(session: Session, receipt: Receipt, *, now: datetime) -> None:
    """What an open-day submission leads to: a seat, a place in the line, or an alert; and a mail about it.

    Raises SlotFull or SlotClosed; whoever commits then rolls all of this submission back.
    """
    _follow_up(session, receipt, may_wait=receipt.answers["may_wait"], now=now)


def follow_up_late(session: Session, receipt: Receipt, *, now: datetime) -> None:
    """The same for one that was held back, whose sender isn't there any more to be told and to choose again.

    They wanted this very slot: where it has filled up meanwhile they wait for it, whatever they answered then. Where
    waiting is no use either (it is closed, cancelled, smaller than the party) they are to be told of the next date.
    """
    try:
        _follow_up(session, receipt, may_wait=True, now=now)
    except (SlotFull, SlotClosed):
        promise_alert(session, receipt, now=now)


def _follow_up(session: Session, receipt: Receipt, *, may_wait: bool, now: datetime) -> None:
    answers = receipt.answers
    if answers["slot_id"] is None:
        promise_alert(session, receipt, now=now)
        return
    register(
        session,
        receipt,
        slot_id=answers["slot_id"],
        companions=answers["companions"],
        may_wait=may_wait,
        now=now,
    )
    enqueue(session, REGISTRATION_EMAIL, cause=receipt.reference, lead_id=receipt.lead_id, now=now)


def promise_alert(session: Session, receipt: Receipt, *, now: datetime) -> None:
    """Note that this lead is to be told when an open day is added."""
    session.add(Alert(submission_id=receipt.id, lead_id=receipt.lead_id, created_at=now))
    enqueue(session, ALERT_EMAIL, cause=receipt.reference, lead_id=receipt.lead_id, now=now)


def stop_alerts(session: Session, lead_id: int) -> bool:
    """Take back that this lead is to be told of new dates; False where that is so already."""
    untold = delete(Alert).where(Alert.lead_id == lead_id, Alert.told_at.is_(None)).returning(Alert.id)
    return bool(session.scalars(untold).all())


def register(
    session: Session, receipt: Receipt, *, slot_id: int, companions: int, may_wait: bool, now: datetime
) -> Registration:
    """Take 1 + companions seats or, where they aren't left and that was asked for, the last place in the line.

    Raises SlotFull, SlotClosed. A lead who has a registration in this slot keeps that one, unchanged; asking for
    another number of companions marks the lead for review, for anyone can type anyone's address. The seats are looked
    at first all the same, so that the answer says nothing about who is registered.
    """
    slot = lock_slot(session, slot_id)
    if slot is None or not slot.is_open(now):
        raise SlotClosed(slot_id)
    remaining = pass_on(session, slot, now=now)
    has_room = remaining >= 1 + companions
    # A party larger than the slot would wait for ever.
    if not has_room and not (may_wait and 1 + companions <= slot.capacity):
        raise SlotFull(remaining)
    if receipt.lead_id is None:
        raise ValueError("a quarantined submission takes no seat")
    active = find_registration(session, lead_id=receipt.lead_id, slot_id=slot.id)
    if active is not None:
        if active.companions != companions:
            session.get_one(Lead, receipt.lead_id).needs_review = True
        return active
    registration = Registration(
        submission_id=receipt.id,
        lead_id=receipt.lead_id,
        slot=slot,
        companions=companions,
        state=RegistrationState.CONFIRMED if has_room else RegistrationState.WAITING,
        created_at=now,
    )
    session.add(registration)
    session.flush()
    return registration


def change_companions(session: Session, registration: Registration, companions: int, *, now: datetime) -> bool:
    """Come with more or fewer, and whether that is a change; what is freed passes on.

    Raises SlotFull, RegistrationOver.
    """
    slot, remaining = _hold(session, registration, now=now)
    more = companions - registration.companions
    if registration.state in SEATED and more > remaining:
        raise SlotFull(remaining)
    if 1 + companions > slot.capacity and more > 0:
        raise SlotFull(slot.capacity)
    registration.companions = companions
    pass_on(session, slot, now=now)
    return more != 0


def accept(session: Session, registration: Registration, *, now: datetime) -> bool:
    """Take the seats that are offered; False where that is done already. Raises RegistrationOver."""
    _hold(session, registration, now=now)
    if registration.state is not RegistrationState.OFFERED:
        return False
    registration.state = RegistrationState.CONFIRMED
    registration.offered_until = None
    reference = registration.submission.reference
    enqueue(session, ACCEPTANCE_EMAIL, cause=f"{reference}{ACCEPTED}", lead_id=registration.lead_id, now=now)
    return True


def cancel(session: Session, registration: Registration, *, now: datetime) -> bool:
    """Give the seats back, leave the line or decline the offer; False where that is done already.

    Whoever had a seat is sent what takes it out of their calendar. Raises RegistrationOver for a slot that has begun,
    and for who has come.
    """
    slot = _lock(session, registration)
    if registration.state in OVER:
        return False
    if slot.starts_at <= now or registration.state is RegistrationState.ATTENDED:
        raise RegistrationOver(registration)
    had_a_seat = registration.state is RegistrationState.CONFIRMED
    registration.state = RegistrationState.CANCELLED
    if had_a_seat:
        reference = registration.submission.reference
        enqueue(session, CANCELLATION_EMAIL, cause=reference, lead_id=registration.lead_id, now=now)
    pass_on(session, slot, now=now)
    return True


def _hold(session: Session, registration: Registration, *, now: datetime) -> tuple[Slot, int]:
    """Its slot, locked, and how many seats are left in it. Raises RegistrationOver."""
    slot = _lock(session, registration)
    remaining = pass_on(session, slot, now=now)
    if registration.state in OVER or slot.starts_at <= now:
        raise RegistrationOver(registration)
    return slot, remaining


def _lock(session: Session, registration: Registration) -> Slot:
    slot = lock_slot(session, registration.slot_id)
    if slot is None:
        raise RegistrationOver(registration)
    # As it stands under the lock: the worker may have ended its offer meanwhile.
    session.refresh(registration)
    return slot
