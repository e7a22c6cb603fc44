"""An application has arrived: its reference, and what happens next."""

from sqlalchemy.orm import Session

from ..leads.mails import find_subject, letter_to, sample_submission
from ..leads.models import FormName, Submission
from ..outbox.letters import Letter, MailTemplate
from ..web.context import current_school
from .services import MAIL


def _compose(session: Session, cause: str) -> Letter | None:
    submission = find_subject(session, cause)
    return _letter(submission) if submission else None


def _letter(submission: Submission) -> Letter:
    school = current_school()
    intake = submission.answers["intake"]
    return letter_to(
        submission,
        programme=school.programmes.get(submission.programme or "", submission.programme),
        intake=school.intakes.get(intake, intake),
    )


def _sample() -> Letter:
    school = current_school()
    submission = sample_submission(FormName.APPLICATION)
    submission.programme = next(iter(school.programmes))
    submission.answers = {"intake": next(iter(school.intakes))}
    return _letter(submission)


MAILS = {MAIL: MailTemplate(compose=_compose, sample=_sample)}
