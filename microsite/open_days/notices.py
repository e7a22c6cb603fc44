"""Mails that the clock or the school causes: reminders, thanks, new dates, another time or place, a day called off."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.orm import Session

from ..leads.mails import find_subject, letter_to, sample_submission
from ..leads.models import FormName, Submission
from ..leads.queries import has_applied
from ..outbox.letters import Letter, MailTemplate
from ..web.context import utc_now
from ..web.links import public_url
from .followups import ANNOUNCED, EARLY_REMINDER, LATE_REMINDER, THANKS, THANKS_WITHIN, TOO_LATE
from .letters import (
    describe_slot,
    find_told,
    inviting,
    is_to_come,
    letter_about,
    letter_without,
    sample_registration,
    uninviting,
)
from .models import EXPECTED, OVER, Registration, RegistrationState, Slot
from .planning import CALLED_OFF, MOVED, SEATLESS
from .queries import bookable_slots, find_alert


def _compose_early_reminder(session: Session, cause: str) -> Letter | None:
    return _reminder(session, cause, least=TOO_LATE)


def _compose_late_reminder(session: Session, cause: str) -> Letter | None:
    return _reminder(session, cause, least=timedelta(0))


def _reminder(session: Session, cause: str, *, least: timedelta) -> Letter | None:
    """For who is still expected, and by no later than this before it begins."""
    registration = _up_to_date(session, cause)
    if registration is None or registration.state is not RegistrationState.CONFIRMED:
        return None
    return letter_about(registration) if registration.slot.starts_at - utc_now() > least else None


def _compose_moved(session: Session, cause: str) -> Letter | None:
    """Once, of how things are by now: a later move brings a mail of its own, and who has cancelled needs none."""
    registration = _up_to_date(session, cause)
    if registration is None or registration.state in OVER or not is_to_come(registration, now=utc_now()):
        return None
    return _moved(registration)


def _moved(registration: Registration) -> Letter:
    return inviting(letter_about(registration), registration)


def _compose_called_off(session: Session, cause: str) -> Letter | None:
    """Although the registration is cancelled, for that is the news."""
    registration = find_told(session, cause)
    if registration is None or registration.slot.cancelled_at is None or registration.slot.ends_at <= utc_now():
        return None
    return _called_off(registration, had_a_seat=not cause.endswith(SEATLESS))


def _called_off(registration: Registration, *, had_a_seat: bool) -> Letter:
    letter = letter_without(registration, had_a_seat=had_a_seat)
    return uninviting(letter, registration) if had_a_seat else letter


def _compose_thanks(session: Session, cause: str) -> Letter | None:
    registration = _up_to_date(session, cause)
    if registration is None or registration.state not in EXPECTED:
        return None
    # Held up for days, it says nothing any more.
    if registration.slot.ends_at + THANKS_WITHIN <= utc_now():
        return None
    return _thanks(registration, has_applied=has_applied(session, registration.lead_id))


def _thanks(registration: Registration, *, has_applied: bool) -> Letter:
    # What brought them first stands with their registration.
    origin = {"utm_source": "portes-ouvertes", "utm_medium": "email", "utm_campaign": "portes-ouvertes-merci"}
    return letter_to(
        registration.submission,
        **describe_slot(registration.slot),
        has_applied=has_applied,
        apply_url=public_url("applications.apply", **origin),
    )


def _compose_announcement(session: Session, cause: str) -> Letter | None:
    """The dates that can be booked now, whichever was added; none for who has left the list."""
    submission = find_subject(session, cause)
    if submission is None or submission.lead_id is None or find_alert(session, submission.id) is None:
        return None
    slots = bookable_slots(session, submission.lead_id, now=utc_now())
    return _announcement(submission, slots) if slots else None


def _announcement(submission: Submission, slots: Iterable[Slot]) -> Letter:
    return letter_to(submission, slots=[describe_slot(slot) for slot in slots])


def _up_to_date(session: Session, cause: str) -> Registration | None:
    """The registration, unless its slot has moved since: that brought a mail of its own."""
    registration = find_told(session, cause)
    told = int(cause.split(".")[1])
    return registration if registration is not None and registration.slot.sequence == told else None


def _sample_called_off() -> Letter:
    return _called_off(sample_registration(RegistrationState.CANCELLED), had_a_seat=True)


def _sample_announcement() -> Letter:
    return _announcement(sample_submission(FormName.OPEN_DAY), [sample_registration().slot])


NOTICES = {
    EARLY_REMINDER: MailTemplate(compose=_compose_early_reminder, sample=lambda: letter_about(sample_registration())),
    LATE_REMINDER: MailTemplate(compose=_compose_late_reminder, sample=lambda: letter_about(sample_registration())),
    THANKS: MailTemplate(compose=_compose_thanks, sample=lambda: _thanks(sample_registration(), has_applied=False)),
    ANNOUNCED: MailTemplate(compose=_compose_announcement, sample=_sample_announcement),
    MOVED: MailTemplate(compose=_compose_moved, sample=lambda: _moved(sample_registration())),
    CALLED_OFF: MailTemplate(compose=_compose_called_off, sample=_sample_called_off),
}
