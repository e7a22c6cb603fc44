"""E-mails to those who register for open days: each asks, when it leaves, whether there is still a reason for it."""

from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from ..leads.emails import content_for, find_submission, sample_submission
from ..leads.models import FormName, Submission
from ..leads.queries import has_applied
from ..outbox.emails import EmailContent, composes
from ..outbox.queries import find_decided
from ..web.context import utc_now
from ..web.links import public_url
from .email_content import (
    add_cancellation,
    add_invitation,
    content_about,
    content_without_seat,
    describe_slot,
    find_by_cause,
    is_to_come,
    sample_registration,
)
from .followups import LATE_REMINDER_EMAIL, NEW_DATES_EMAIL, REMINDER_EMAIL, THANKS_EMAIL, THANKS_WITHIN, TOO_LATE
from .models import EXPECTED, OVER, Registration, RegistrationState, Slot
from .planning import CALLED_OFF_EMAIL, MOVED_EMAIL, SEATLESS
from .queries import bookable_slots, find_alert, find_registration
from .seats import OFFER_EMAIL
from .services import ACCEPTANCE_EMAIL, ACCEPTED, ALERT_EMAIL, CANCELLATION_EMAIL, REGISTRATION_EMAIL


def _find_registered(session: Session, cause: str) -> tuple[Registration, bool] | None:
    """Find the registration that a form led to, and whether it had been there before."""
    is_accepted = cause.endswith(ACCEPTED)
    submission = find_submission(session, cause.removesuffix(ACCEPTED))
    if submission is None or submission.lead_id is None:
        return None
    registration = find_registration(session, lead_id=submission.lead_id, slot_id=submission.answers["slot_id"])
    if registration is None or not is_to_come(registration, now=utc_now()):
        return None
    is_own = registration.submission_id == submission.id
    if is_own and not is_accepted and _has_later_mail(session, registration):
        return None
    if is_accepted and not (is_own and registration.state is RegistrationState.CONFIRMED):
        return None
    return registration, not is_own


def _has_later_mail(session: Session, registration: Registration) -> bool:
    """Whether the first mail waited for so long that a later one, already decided, says the same and more."""
    accepted = f"{registration.submission.reference}{ACCEPTED}"
    is_offered = registration.state is RegistrationState.OFFERED
    return is_offered or find_decided(session, ACCEPTANCE_EMAIL, cause=accepted) is not None


@composes(REGISTRATION_EMAIL, find=_find_registered, sample=lambda: (sample_registration(), False))
def compose_registration(found: tuple[Registration, bool]) -> EmailContent:
    """Say where the sender stands by now; to who sent the form again, what they had and that it stays."""
    registration, is_repeated = found
    return add_invitation(content_about(registration, is_repeated=is_repeated), registration)


def _find_offered(session: Session, cause: str) -> Registration | None:
    registration = find_by_cause(session, cause)
    if registration is None or registration.state is not RegistrationState.OFFERED:
        return None
    until = registration.offered_until
    # Ended, though the worker hasn't noted it yet.
    return None if until is None or until <= utc_now() else registration


@composes(OFFER_EMAIL, find=_find_offered, sample=lambda: sample_registration(RegistrationState.OFFERED))
def compose_offer(registration: Registration) -> EmailContent:
    return content_about(registration)


def _find_cancelled(session: Session, cause: str) -> Registration | None:
    """Find who had a seat: it is in their calendar until the end of the day."""
    registration = find_by_cause(session, cause)
    if registration is None or registration.state is not RegistrationState.CANCELLED:
        return None
    return registration if registration.slot.ends_at > utc_now() else None


@composes(CANCELLATION_EMAIL, find=_find_cancelled, sample=lambda: sample_registration(RegistrationState.CANCELLED))
def compose_cancellation(registration: Registration) -> EmailContent:
    return add_cancellation(content_without_seat(registration), registration)


def _find_waiting_for_dates(session: Session, cause: str) -> Submission | None:
    submission = find_submission(session, cause)
    alert = find_alert(session, submission.id) if submission else None
    # None once the lead has left the list, or a date was announced to them.
    return submission if alert and alert.told_at is None else None


@composes(ALERT_EMAIL, find=_find_waiting_for_dates, sample=lambda: sample_submission(FormName.OPEN_DAY))
def compose_alert(submission: Submission) -> EmailContent:
    return content_for(submission)


def _find_reminded(session: Session, cause: str, *, least: timedelta) -> Registration | None:
    """Find who is still expected, by no later than this before the slot begins."""
    registration = _find_unmoved(session, cause)
    if registration is None or registration.state is not RegistrationState.CONFIRMED:
        return None
    return registration if registration.slot.starts_at - utc_now() > least else None


@composes(REMINDER_EMAIL, find=partial(_find_reminded, least=TOO_LATE), sample=sample_registration)
@composes(LATE_REMINDER_EMAIL, find=partial(_find_reminded, least=timedelta(0)), sample=sample_registration)
def compose_reminder(registration: Registration) -> EmailContent:
    return content_about(registration)


def _find_thanked(session: Session, cause: str) -> tuple[Registration, bool] | None:
    """Find who came, and whether they have applied."""
    registration = _find_unmoved(session, cause)
    if registration is None or registration.state not in EXPECTED:
        return None
    # Held up for days, it says nothing any more.
    if registration.slot.ends_at + THANKS_WITHIN <= utc_now():
        return None
    return registration, has_applied(session, registration.lead_id)


@composes(THANKS_EMAIL, find=_find_thanked, sample=lambda: (sample_registration(), False))
def compose_thanks(found: tuple[Registration, bool]) -> EmailContent:
    registration, is_applicant = found
    # What brought them first stands with their registration.
    origin = {"utm_source": "portes-ouvertes", "utm_medium": "email", "utm_campaign": "portes-ouvertes-merci"}
    return content_for(
        registration.submission,
        **describe_slot(registration.slot),
        has_applied=is_applicant,
        apply_url=public_url("applications.apply", **origin),
    )


def _find_new_dates(session: Session, cause: str) -> tuple[Submission, list[Slot]] | None:
    """Find the dates that can be booked now, whichever was added; None for who has left the list."""
    submission = find_submission(session, cause)
    if submission is None or submission.lead_id is None or find_alert(session, submission.id) is None:
        return None
    slots = bookable_slots(session, submission.lead_id, now=utc_now())
    return (submission, slots) if slots else None


@composes(
    NEW_DATES_EMAIL,
    find=_find_new_dates,
    sample=lambda: (sample_submission(FormName.OPEN_DAY), [sample_registration().slot]),
)
def compose_new_dates(found: tuple[Submission, list[Slot]]) -> EmailContent:
    submission, slots = found
    return content_for(submission, slots=[describe_slot(slot) for slot in slots])


def _find_moved(session: Session, cause: str) -> Registration | None:
    """Find a registration once, as it is by now: a later move has its own mail, and who has cancelled needs none."""
    registration = _find_unmoved(session, cause)
    if registration is None or registration.state in OVER or not is_to_come(registration, now=utc_now()):
        return None
    return registration


@composes(MOVED_EMAIL, find=_find_moved, sample=sample_registration)
def compose_moved(registration: Registration) -> EmailContent:
    return add_invitation(content_about(registration), registration)


def _find_called_off(session: Session, cause: str) -> tuple[Registration, bool] | None:
    """Find a registration that the school cancelled with its slot, and whether it had a seat."""
    registration = find_by_cause(session, cause)
    if registration is None or registration.slot.cancelled_at is None or registration.slot.ends_at <= utc_now():
        return None
    return registration, not cause.endswith(SEATLESS)


@composes(
    CALLED_OFF_EMAIL,
    find=_find_called_off,
    sample=lambda: (sample_registration(RegistrationState.CANCELLED), True),
)
def compose_called_off(found: tuple[Registration, bool]) -> EmailContent:
    registration, had_a_seat = found
    content = content_without_seat(registration, had_a_seat=had_a_seat)
    return add_cancellation(content, registration) if had_a_seat else content


def _find_unmoved(session: Session, cause: str) -> Registration | None:
    """Find the registration; None where its slot has moved since, for that brought a mail of its own."""
    registration = find_by_cause(session, cause)
    sequence = int(cause.split(".")[1])
    return registration if registration is not None and registration.slot.sequence == sequence else None
