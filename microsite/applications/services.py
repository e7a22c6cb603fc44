"""What an application leads to."""

from datetime import datetime

from sqlalchemy.orm import Session

from ..leads.receipts import Receipt
from ..outbox.services import enqueue

MAIL = "application"


def follow_up(session: Session, receipt: Receipt, *, now: datetime) -> None:
    """A mail that says it has arrived, and what happens next."""
    enqueue(session, template=MAIL, cause=receipt.reference, lead_id=receipt.lead_id, now=now)
