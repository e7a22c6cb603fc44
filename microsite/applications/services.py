"""What an application leads to."""

from datetime import datetime

from sqlalchemy.orm import Session

from ..leads.models import Submission
from ..outbox.services import enqueue

MAIL = "application"


def follow_up(session: Session, submission: Submission, *, now: datetime) -> None:
    """A mail that says it has arrived, and what happens next."""
    enqueue(session, template=MAIL, cause=submission.reference, lead_id=submission.lead_id, now=now)
