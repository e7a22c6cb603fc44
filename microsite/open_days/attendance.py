"""Who came: checked in by reference, or come without having registered. Callers commit."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ..campaigns.attribution import Attribution
from ..leads.models import FormName, Submission
from ..leads.queries import find_by_reference
from ..leads.services import Person, Sending, capture
from ..school import PARIS
from .models import SEATED, Registration, RegistrationState
from .queries import find_registration
from .seats import SlotClosed, SlotFull, lock_slot, pass_on


class NotExpected(ValueError):
    """They have no seat: `state` is their registration's, None where there is none."""

    def __init__(self, state: RegistrationState | None) -> None:
        super().__init__(state)
        self.state = state


class OtherDay(ValueError):
    """Their slot isn't today; `registration` says when it is."""

    def __init__(self, registration: Registration) -> None:
        super().__init__(registration.id)
        self.registration = registration


@dataclass(frozen=True, kw_only=True)
class CheckedIn:
    registration: Registration
    # Somebody did it before; the first time stays.
    is_repeated: bool


def check_in(session: Session, reference: str, *, now: datetime) -> CheckedIn:
    """Note that whoever this reference stands for has come. Raises NotExpected, OtherDay."""
    registration = _registration(session, find_by_reference(session, reference))
    if registration is None:
        raise NotExpected(None)
    lock_slot(session, registration.slot_id)
    session.refresh(registration)
    if registration.state not in SEATED:
        raise NotExpected(registration.state)
    if registration.slot.starts_at.astimezone(PARIS).date() != now.astimezone(PARIS).date():
        raise OtherDay(registration)
    is_repeated = registration.state is RegistrationState.ATTENDED
    _attend(registration, now=now)
    return CheckedIn(registration=registration, is_repeated=is_repeated)


def walk_in(session: Session, person: Person, *, slot_id: int, companions: int, now: datetime) -> CheckedIn:
    """Seat somebody who came unregistered, as long as there are seats. Raises SlotFull, SlotClosed.

    Who has registered after all is checked in; who waits gets the seats that are left, for they are here.
    """
    slot = lock_slot(session, slot_id)
    if slot is None or slot.cancelled_at is not None or slot.ends_at <= now:
        raise SlotClosed(slot_id)
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
    submission = capture(session, sending, now=now).submission
    remaining = pass_on(session, slot, now=now)
    registration = _registration(session, submission)
    if registration is not None and registration.state in SEATED:
        is_repeated = registration.state is RegistrationState.ATTENDED
        _attend(registration, now=now)
        return CheckedIn(registration=registration, is_repeated=is_repeated)
    if remaining < 1 + companions:
        raise SlotFull(remaining)
    if registration is None:
        registration = Registration(submission=submission, lead_id=submission.lead_id, slot=slot, created_at=now)
        session.add(registration)
    registration.companions, registration.is_walk_in = companions, True
    _attend(registration, now=now)
    session.flush()
    return CheckedIn(registration=registration, is_repeated=False)


def _attend(registration: Registration, *, now: datetime) -> None:
    registration.state = RegistrationState.ATTENDED
    registration.checked_in_at = registration.checked_in_at or now


def _registration(session: Session, submission: Submission | None) -> Registration | None:
    """The one that a submission led to, or that its lead had already in this slot."""
    if submission is None or submission.lead_id is None or submission.answers.get("slot_id") is None:
        return None
    return find_registration(session, lead_id=submission.lead_id, slot_id=submission.answers["slot_id"])
