"""The brochure by mail: a link that keeps working."""

from ..leads.emails import content_for, find_submission, sample_submission
from ..leads.links import mailed_url
from ..leads.models import FormName, Submission
from ..outbox.emails import EmailContent, composes
from .services import BROCHURE_EMAIL
from .views import COPY


@composes(BROCHURE_EMAIL, find=find_submission, sample=lambda: sample_submission(FormName.BROCHURE))
def compose_brochure(submission: Submission) -> EmailContent:
    return content_for(submission, brochure_url=mailed_url(COPY, submission))
