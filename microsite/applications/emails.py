"""An application has arrived: its reference, and what happens next."""

from ..leads.emails import content_for, find_submission, sample_submission
from ..leads.models import FormName, Submission
from ..outbox.emails import EmailContent, composes
from ..web.context import current_school
from .services import APPLICATION_EMAIL


def _sample() -> Submission:
    school = current_school()
    submission = sample_submission(FormName.APPLICATION)
    submission.programme = next(iter(school.programmes))
    submission.answers = {"intake": next(iter(school.intakes))}
    return submission


@composes(APPLICATION_EMAIL, find=find_submission, sample=_sample)
def compose_application(submission: Submission) -> EmailContent:
    school = current_school()
    intake = submission.answers["intake"]
    return content_for(
        submission,
        programme=school.programmes.get(submission.programme or "", submission.programme),
        intake=school.intakes.get(intake, intake),
    )
