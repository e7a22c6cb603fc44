"""What an application leads to."""

from datetime import datetime

from sqlalchemy.orm import Session

from ..leads.models import Submission
from ..leads.receipts import Receipt
from ..outbox.emails import Email
from ..outbox.services import enqueue

APPLICATION_EMAIL = Email(name="application", label="candidature bien arrivée", owed_by=Submission)


def follow_up(session: Session, receipt: Receipt, *, now: datetime) -> None:
    """A mail that says it has arrived, and what happens next."""
    enqueue(session, APPLICATION_EMAIL, cause=receipt.reference, lead_id=receipt.lead_id, now=now)
