"""Links to the personal page that are asked for: noted with the address, answered by the background worker.

Callers commit.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..leads.bounces import try_address_again
from ..leads.queries import find_lead
from ..outbox.emails import Email
from ..outbox.models import OutgoingMail
from ..outbox.services import enqueue
from .models import AccessRequest
from .queries import find_latest

# Not capped by the day's mails about this lead, which anyone can use up by sending forms: it has limits of its own.
ACCESS_EMAIL = Email(name="access", label="lien vers l’espace personnel", owed_by=AccessRequest, is_capped=False)
# Mails with a link that one person is sent, whoever asks for them: in an hour, in a day.
_LIMITS = ((timedelta(hours=1), 3), (timedelta(days=1), 8))
# Answered in one transaction.
_BATCH = 50


def ask_for_access(session: Session, email: str, *, now: datetime) -> None:
    session.add(AccessRequest(email=email, asked_at=now))


def is_access_asked(session: Session) -> bool:
    return session.scalar(select(AccessRequest.id).limit(1)) is not None


def answer_access(session: Session, *, now: datetime) -> int:
    """Turn some of what was asked into mails to those who are known, and delete it all the same; how much it was."""
    waiting = select(AccessRequest).order_by(AccessRequest.id).limit(_BATCH).with_for_update(skip_locked=True)
    requests = session.scalars(waiting).all()
    for request in requests:
        _answer(session, request, now=now)
        session.delete(request)
    return len(requests)


def _answer(session: Session, request: AccessRequest, *, now: datetime) -> None:
    lead = find_lead(session, request.email)
    submission = find_latest(session, lead.id) if lead else None
    if lead is None or submission is None or _has_enough(session, lead.id, now=now):
        return
    cause = f"{submission.reference}.{request.id}"
    try_address_again(session, lead)
    enqueue(session, ACCESS_EMAIL, cause=cause, lead_id=lead.id, now=now)


def _has_enough(session: Session, lead_id: int, *, now: datetime) -> bool:
    theirs = OutgoingMail.template == ACCESS_EMAIL.name, OutgoingMail.lead_id == lead_id
    mails = select(func.count(OutgoingMail.id)).where(*theirs)
    return any(
        session.execute(mails.where(OutgoingMail.decided_at > now - span)).scalar_one() >= most
        for span, most in _LIMITS
    )
