"""A seat is booked; or a date will be told."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..leads.mails import find_subject, letter_to, sample_submission
from ..leads.models import FormName, Submission
from ..outbox.letters import Letter, MailTemplate
from ..school import PARIS
from ..web.context import utc_now
from .forms import slot_label
from .models import OpenDay, Registration, Slot
from .queries import find_registration
from .services import PROMISED, REGISTERED


def _compose_registration(session: Session, cause: str) -> Letter | None:
    submission = find_subject(session, cause)
    if submission is None or submission.lead_id is None:
        return None
    registration = find_registration(session, lead_id=submission.lead_id, slot_id=submission.answers["slot_id"])
    # A mail that had to wait is of no use once the day is over.
    if registration is None or registration.slot.ends_at < utc_now():
        return None
    return _registration(submission, registration)


def _registration(submission: Submission, registration: Registration) -> Letter:
    slot = registration.slot
    return letter_to(
        submission,
        day=slot.open_day.title,
        place=slot.open_day.place,
        slot=slot_label(slot.starts_at, slot.ends_at, is_sample=False),
        companions=registration.companions,
        is_sample=slot.open_day.is_sample,
    )


def _sample_registration() -> Letter:
    starts_at = datetime(2027, 2, 6, 10, tzinfo=PARIS)
    day = OpenDay(title="Journée portes ouvertes", place="lieu d’exemple", is_sample=False)
    slot = Slot(open_day=day, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2))
    return _registration(sample_submission(FormName.OPEN_DAY), Registration(slot=slot, companions=2))


def _compose_alert(session: Session, cause: str) -> Letter | None:
    submission = find_subject(session, cause)
    return letter_to(submission) if submission else None


def _sample_alert() -> Letter:
    return letter_to(sample_submission(FormName.OPEN_DAY))


MAILS = {
    REGISTERED: MailTemplate(compose=_compose_registration, sample=_sample_registration),
    PROMISED: MailTemplate(compose=_compose_alert, sample=_sample_alert),
}
