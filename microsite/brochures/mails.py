"""The brochure by mail: a link that keeps working."""

from sqlalchemy.orm import Session

from ..leads.links import mailed_url
from ..leads.mails import find_subject, letter_to, sample_submission
from ..leads.models import FormName, Submission
from ..outbox.letters import Letter, MailTemplate
from .services import MAIL
from .views import COPY


def _compose(session: Session, cause: str) -> Letter | None:
    submission = find_subject(session, cause)
    return _letter(submission) if submission else None


def _letter(submission: Submission) -> Letter:
    return letter_to(submission, brochure_url=mailed_url(COPY, submission))


def _sample() -> Letter:
    return _letter(sample_submission(FormName.BROCHURE))


MAILS = {MAIL: MailTemplate(compose=_compose, sample=_sample)}
