"""Looking leads and submissions up."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Lead, Submission
from .normalise import email_key


def find_lead(session: Session, email: str) -> Lead | None:
    return session.scalar(select(Lead).where(Lead.email_key == email_key(email)))


def find_same(session: Session, nonce: str, digest: str) -> Submission | None:
    """The submission that a form with this nonce and these answers became."""
    return session.scalar(select(Submission).filter_by(form_nonce=nonce, answers_digest=digest))


def find_by_reference(session: Session, reference: str) -> Submission | None:
    """`reference` as people write it: any case, spaces around."""
    return session.scalar(select(Submission).where(Submission.reference == reference.strip().upper()))
