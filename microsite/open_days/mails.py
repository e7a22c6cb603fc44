"""Mails on what people did: where they stand, seats offered to them, cancelled, and that a date will be told."""

from sqlalchemy.orm import Session

from ..leads.mails import find_subject, letter_to, sample_submission
from ..leads.models import FormName
from ..outbox.letters import Letter, MailTemplate
from ..outbox.queries import find_decided
from ..web.context import utc_now
from .letters import find_told, inviting, is_to_come, letter_about, letter_without, sample_registration, uninviting
from .models import Registration, RegistrationState
from .notices import NOTICES
from .queries import find_alert, find_registration
from .seats import OFFERED
from .services import ACCEPTED, CANCELLED, PROMISED, REGISTERED


def _compose_registration(session: Session, cause: str) -> Letter | None:
    """Where the sender stands by now. Who sent the form again is told of what they had, and that it stays."""
    is_accepted = cause.endswith(ACCEPTED)
    submission = find_subject(session, cause.removesuffix(ACCEPTED))
    if submission is None or submission.lead_id is None:
        return None
    registration = find_registration(session, lead_id=submission.lead_id, slot_id=submission.answers["slot_id"])
    if registration is None or not is_to_come(registration, now=utc_now()):
        return None
    is_own = registration.submission_id == submission.id
    if is_own and not is_accepted and _is_told_otherwise(session, registration):
        return None
    if is_accepted and not (is_own and registration.state is RegistrationState.CONFIRMED):
        return None
    return _registration(registration, is_repeated=not is_own)


def _is_told_otherwise(session: Session, registration: Registration) -> bool:
    """The first mail waited for so long that a later one, already decided, says the same and more."""
    accepted = f"{registration.submission.reference}{ACCEPTED}"
    is_offered = registration.state is RegistrationState.OFFERED
    return is_offered or find_decided(session, template=REGISTERED, cause=accepted) is not None


def _registration(registration: Registration, *, is_repeated: bool = False) -> Letter:
    return inviting(letter_about(registration, is_repeated=is_repeated), registration)


def _compose_offer(session: Session, cause: str) -> Letter | None:
    registration = find_told(session, cause)
    if registration is None or registration.state is not RegistrationState.OFFERED:
        return None
    until = registration.offered_until
    # Ended, though the worker hasn't noted it yet.
    return None if until is None or until <= utc_now() else letter_about(registration)


def _compose_cancelled(session: Session, cause: str) -> Letter | None:
    """For who had a seat: their calendar has it still, until the end of the day."""
    registration = find_told(session, cause)
    if registration is None or registration.state is not RegistrationState.CANCELLED:
        return None
    return _cancelled(registration) if registration.slot.ends_at > utc_now() else None


def _cancelled(registration: Registration) -> Letter:
    return uninviting(letter_without(registration), registration)


def _compose_alert(session: Session, cause: str) -> Letter | None:
    submission = find_subject(session, cause)
    alert = find_alert(session, submission.id) if submission else None
    # Left the list, or told of a date already.
    return letter_to(submission) if submission and alert and alert.told_at is None else None


MAILS = {
    REGISTERED: MailTemplate(
        compose=_compose_registration,
        sample=lambda: _registration(sample_registration()),
    ),
    OFFERED: MailTemplate(
        compose=_compose_offer,
        sample=lambda: letter_about(sample_registration(RegistrationState.OFFERED)),
    ),
    CANCELLED: MailTemplate(
        compose=_compose_cancelled,
        sample=lambda: _cancelled(sample_registration(RegistrationState.CANCELLED)),
    ),
    PROMISED: MailTemplate(
        compose=_compose_alert,
        sample=lambda: letter_to(sample_submission(FormName.OPEN_DAY)),
    ),
    **NOTICES,
}
