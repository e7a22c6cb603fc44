"""E-mails about leads whatever the form: confirming a consent, notifying admissions; what all features' mails share."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unicodedata import category

from sqlalchemy.orm import Session

from ..formatters import PARIS, format_day, format_hour, format_long_day
from ..outbox.emails import EmailContent, composes
from ..outbox.messages import needs_smtputf8
from ..web.context import current_school
from ..web.links import public_url
from .consents import CONSENT_EMAIL, find_email_consent
from .links import mailed_url
from .models import FormName, Lead, Submission
from .notifications import DIGEST_EMAIL, NOTIFICATION_EMAIL, Period, find_submissions
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


def find_submission(session: Session, cause: str) -> Submission | None:
    """Find the submission that a mail is about by its reference; None once it or its lead is gone."""
    submission = find_by_reference(session, cause)
    return submission if submission is not None and submission.lead is not None else None


def content_for(submission: Submission, *, unsubscribe_url: str | None = None, **values: Any) -> EmailContent:
    """Return a mail's content for the owner of this submission, with what every such mail says."""
    common = {
        "greeting": greet(submission.first_name),
        "reference": submission.reference,
        "space_url": mailed_url(SPACE, submission),
    }
    return EmailContent(to=address_of(submission), values=common | values, unsubscribe_url=unsubscribe_url)


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
    """Make up a submission, for previews."""
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


def _find_unconfirmed(session: Session, cause: str) -> tuple[Submission, str] | None:
    """Find whose consent is to be confirmed, and its words."""
    submission = find_submission(session, cause)
    consent = find_email_consent(session, submission) if submission else None
    if submission is None or consent is None or consent.withdrawn_at or consent.confirmed_at:
        return None
    return submission, consent.wording.text


def _sample_unconfirmed() -> tuple[Submission, str]:
    return sample_submission(FormName.BROCHURE), current_school().wordings["email"].text


@composes(CONSENT_EMAIL, find=_find_unconfirmed, sample=_sample_unconfirmed)
def compose_consent(found: tuple[Submission, str]) -> EmailContent:
    submission, wording = found
    return content_for(
        submission,
        unsubscribe_url=mailed_url(STOP, submission),
        confirm_url=mailed_url(CONFIRM, submission),
        wording=wording,
        days=CONFIRM_LIFETIME.days,
    )


# A submission without a lead is quarantined or erased: there is no person to link to.
@composes(NOTIFICATION_EMAIL, find=find_submission, sample=lambda: sample_submission(FormName.APPLICATION))
def compose_notification(submission: Submission) -> EmailContent:
    row = _row(submission)
    reply_to = None if needs_smtputf8(submission.email) else (row["name"], submission.email)
    return replace(_to_admissions(row=row), reply_to=reply_to)


def _find_period(session: Session, cause: str) -> tuple[Period, list[Submission]] | None:
    period = Period.parse(cause)
    submissions = find_submissions(session, period)
    return (period, submissions) if submissions else None


def _sample_period() -> tuple[Period, list[Submission]]:
    end = datetime(2027, 1, 5, 8, tzinfo=PARIS)
    return Period(start=end - timedelta(days=1), end=end), [sample_submission(form) for form in FormName]


@composes(DIGEST_EMAIL, find=_find_period, sample=_sample_period)
def compose_digest(found: tuple[Period, list[Submission]]) -> EmailContent:
    period, submissions = found
    shown = submissions[:_DIGEST_ROWS]
    return _to_admissions(
        rows=[_row(submission) for submission in shown],
        count=len(submissions),
        day=format_long_day(period.start),
        hours=_hours(period),
        start=_moment(period.start),
        end=_moment(period.end),
    )


def _to_admissions(**values: Any) -> EmailContent:
    return EmailContent(to=current_school().mail.admissions, values=values)


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
