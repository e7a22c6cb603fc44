"""Mails about leads whatever the form: confirming a consent, and telling admissions."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unicodedata import category

from sqlalchemy.orm import Session

from ..formatters import PARIS, format_day, format_hour, format_long_day
from ..outbox.letters import Letter, MailTemplate, needs_smtputf8
from ..web.context import current_school
from ..web.links import public_url
from .consents import CONFIRMATION, find_email_consent
from .links import mailed_url
from .models import FormName, Lead, Submission
from .notifications import DIGEST, EACH, Period, find_submissions
from .queries import find_by_reference
from .references import PREFIXES

CONFIRM = "privacy.confirm_emails"
STOP = "privacy.stop_emails"
SPACE = "privacy.my_space"
# The back-office's page about a person: only its address is needed here.
PERSON = "backoffice.lead"

# How long the link that confirms a consent works.
CONFIRM_LIFETIME = timedelta(days=30)
# And the one to the personal page.
SPACE_LIFETIME = timedelta(days=90)

# Rows that a digest shows; it says how many more there are.
_DIGEST_ROWS = 100
_NAME_LIMIT = 40
_FORMS = {
    FormName.BROCHURE: "Brochure",
    FormName.OPEN_DAY: "Portes ouvertes",
    FormName.APPLICATION: "Candidature",
}


def find_subject(session: Session, cause: str) -> Submission | None:
    """The submission that a mail to its sender is about; None once it or its lead is gone."""
    submission = find_by_reference(session, cause)
    return submission if submission is not None and submission.lead is not None else None


def letter_to(submission: Submission, *, unsubscribe_url: str | None = None, **values: Any) -> Letter:
    """A letter to the owner of this submission, with what every such letter says."""
    common = {
        "greeting": greet(submission.first_name),
        "reference": submission.reference,
        "space_url": mailed_url(SPACE, submission),
    }
    return Letter(to=address_of(submission), values=common | values, unsubscribe_url=unsubscribe_url)


def address_of(submission: Submission) -> str:
    """Return the address that its lead holds, whatever was typed this time: links open all that is the lead's."""
    if submission.lead is None:
        raise ValueError("a quarantined submission is nobody's yet: it gets no mail")
    return submission.lead.email


def greet(first_name: str) -> str:
    """« Bonjour Zoé », or « Bonjour » for what may be an advertisement: anyone can have us write to anyone."""
    is_name = all(category(char)[0] in "LM" or char in " -’'" for char in first_name)
    return f"Bonjour {first_name}" if is_name and len(first_name) <= _NAME_LIMIT else "Bonjour"


def sample_submission(form: FormName) -> Submission:
    """Someone made up, for previews."""
    lead = Lead(id=1, email="zoe@exemple.fr", link_version=1)
    return Submission(
        reference=f"{PREFIXES[form]}-EXEMPL",
        form=form,
        first_name="Zoé",
        last_name="Lefèvre",
        email=lead.email,
        lead=lead,
        lead_id=lead.id,
        submitted_at=datetime(2027, 1, 4, 9, 30, tzinfo=PARIS),
    )


def _compose_confirmation(session: Session, cause: str) -> Letter | None:
    submission = find_subject(session, cause)
    consent = find_email_consent(session, submission) if submission else None
    if submission is None or consent is None or consent.withdrawn_at or consent.confirmed_at:
        return None
    return _confirmation(submission, consent.wording.text)


def _confirmation(submission: Submission, wording: str) -> Letter:
    return letter_to(
        submission,
        unsubscribe_url=mailed_url(STOP, submission),
        confirm_url=mailed_url(CONFIRM, submission),
        wording=wording,
        days=CONFIRM_LIFETIME.days,
    )


def _sample_confirmation() -> Letter:
    wording = current_school().wordings["email"].text
    return _confirmation(sample_submission(FormName.BROCHURE), wording)


def _compose_notification(session: Session, cause: str) -> Letter | None:
    # Held back, or nobody's any more: there is no person to lead to.
    submission = find_subject(session, cause)
    return _notification(submission) if submission else None


def _notification(submission: Submission) -> Letter:
    row = _row(submission)
    answers_to = None if needs_smtputf8(submission.email) else (row["name"], submission.email)
    return replace(_to_admissions(row=row), answers_to=answers_to)


def _sample_notification() -> Letter:
    return _notification(sample_submission(FormName.APPLICATION))


def _compose_digest(session: Session, cause: str) -> Letter | None:
    period = Period.parse(cause)
    submissions = find_submissions(session, period)
    return _digest(period, submissions) if submissions else None


def _digest(period: Period, submissions: list[Submission]) -> Letter:
    shown = submissions[:_DIGEST_ROWS]
    return _to_admissions(
        rows=[_row(submission) for submission in shown],
        count=len(submissions),
        day=format_long_day(period.start),
        hours=_hours(period),
        start=_moment(period.start),
        end=_moment(period.end),
    )


def _sample_digest() -> Letter:
    submissions = [sample_submission(form) for form in FormName]
    end = datetime(2027, 1, 5, 8, tzinfo=PARIS)
    return _digest(Period(start=end - timedelta(days=1), end=end), submissions)


def _to_admissions(**values: Any) -> Letter:
    return Letter(to=current_school().mail.admissions, values=values)


def _row(submission: Submission) -> dict[str, str]:
    return {
        "reference": submission.reference,
        "form": _FORMS[submission.form],
        "name": f"{submission.first_name} {submission.last_name}",
        "sent": _moment(submission.submitted_at),
        "url": public_url(PERSON, lead_id=submission.lead_id),
    }


def _hours(period: Period) -> str:
    """« de 9 h à 10 h »; empty for a digest of a day."""
    is_day = period.end - period.start > timedelta(hours=2)
    return "" if is_day else f"de {format_hour(period.start)} à {format_hour(period.end)}"


def _moment(moment: datetime) -> str:
    return f"{format_day(moment)} à {format_hour(moment)}"


MAILS = {
    CONFIRMATION: MailTemplate(compose=_compose_confirmation, sample=_sample_confirmation),
    EACH: MailTemplate(compose=_compose_notification, sample=_sample_notification),
    DIGEST: MailTemplate(compose=_compose_digest, sample=_sample_digest),
}
