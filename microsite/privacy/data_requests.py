"""What people ask about their own data: a link to their page, a copy, an erasure. Callers commit.

A request for a copy or an erasure is recorded once while it is open, and mailed to admissions and to the person.
"""

import calendar
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..formatters import PARIS
from ..leads.bounces import try_address_again
from ..leads.consents import standing_consents, withdraw
from ..leads.models import Lead
from ..leads.normalise import email_key
from ..leads.queries import find_lead
from ..outbox.emails import Email
from ..outbox.models import Audience, OutgoingMail
from ..outbox.services import enqueue
from .models import AccessRequest, PrivacyRequest, RequestKind
from .queries import find_latest

# Not capped by the day's mails about this lead, which anyone can use up by sending forms: it has limits of its own.
ACCESS_EMAIL = Email(name="access", label="lien vers l’espace personnel", owed_by=AccessRequest, is_capped=False)
# Only the owner of the address can cause them, or staff.
REQUEST_EMAIL = Email(
    name="privacy_request",
    label="demande sur les données",
    owed_by=PrivacyRequest,
    audience=Audience.ADMISSIONS,
    is_capped=False,
)
RECEIPT_EMAIL = Email(
    name="privacy_noted",
    label="demande sur les données bien reçue",
    owed_by=PrivacyRequest,
    is_capped=False,
)
# Mails with a link that one person is sent, whoever asks for them: in an hour, in a day.
_LIMITS = ((timedelta(hours=1), 3), (timedelta(days=1), 8))
# Requests for a link that are answered in one transaction.
_BATCH = 50


def ask_for_access(session: Session, email: str, *, now: datetime) -> None:
    session.add(AccessRequest(email=email, asked_at=now))


def is_access_asked(session: Session) -> bool:
    return session.scalar(select(AccessRequest.id).limit(1)) is not None


def answer_access(session: Session, *, now: datetime) -> int:
    """Mail a link to known addresses among some of the requests, and delete these; return how many they were."""
    waiting = select(AccessRequest).order_by(AccessRequest.id).limit(_BATCH).with_for_update(skip_locked=True)
    requests = session.scalars(waiting).all()
    for request in requests:
        _mail_link(session, request, now=now)
        session.delete(request)
    return len(requests)


def find_access_requests(session: Session, email_keys: Collection[str]) -> list[AccessRequest]:
    """Find those for these mailboxes. Few are there at any time: the worker answers them within seconds."""
    return [row for row in session.scalars(select(AccessRequest)) if email_key(row.email) in email_keys]


def _mail_link(session: Session, request: AccessRequest, *, now: datetime) -> None:
    lead = find_lead(session, request.email)
    submission = find_latest(session, lead.id) if lead else None
    if lead is None or submission is None or _has_enough(session, lead.id, now=now):
        return
    try_address_again(session, lead)
    cause = f"{submission.reference}.{request.id}"
    enqueue(session, ACCESS_EMAIL, cause=cause, lead_id=lead.id, now=now)


def _has_enough(session: Session, lead_id: int, *, now: datetime) -> bool:
    theirs = OutgoingMail.template == ACCESS_EMAIL.name, OutgoingMail.lead_id == lead_id
    mails = select(func.count(OutgoingMail.id)).where(*theirs)
    return any(
        session.execute(mails.where(OutgoingMail.decided_at > now - span)).scalar_one() >= most
        for span, most in _LIMITS
    )


def ask(session: Session, lead: Lead, kind: RequestKind, *, now: datetime) -> bool:
    """Record the request; return False if one of this kind is open already. Callers hold the lead.

    Who wants to be erased isn't written to meanwhile: their consents end at once, as the receipt says.
    """
    if any(request.kind is kind for request in open_requests(session, lead.id)):
        return False
    request = PrivacyRequest(lead_id=lead.id, kind=kind, asked_at=now, due_at=a_month_after(now))
    session.add(request)
    session.flush()
    if kind is RequestKind.ERASURE:
        for channel in {consent.channel for consent in standing_consents(session, lead.id)}:
            withdraw(session, lead.id, channel, now=now)
    for email in (REQUEST_EMAIL, RECEIPT_EMAIL):
        enqueue(session, email, cause=str(request.id), lead_id=lead.id, now=now)
    return True


def open_requests(session: Session, lead_id: int) -> list[PrivacyRequest]:
    """Oldest first."""
    requests = select(PrivacyRequest).where(PrivacyRequest.lead_id == lead_id, PrivacyRequest.done_at.is_(None))
    return list(session.scalars(requests.order_by(PrivacyRequest.id)))


def list_open(session: Session, *, limit: int) -> list[tuple[PrivacyRequest, Lead]]:
    """With who asks, the one that is due first first."""
    rows = select(PrivacyRequest, Lead).join(Lead, Lead.id == PrivacyRequest.lead_id)
    rows = rows.where(PrivacyRequest.done_at.is_(None)).order_by(PrivacyRequest.due_at, PrivacyRequest.id)
    return [(request, lead) for request, lead in session.execute(rows.limit(limit))]


def count_open(session: Session) -> int:
    counted = select(func.count(PrivacyRequest.id)).where(PrivacyRequest.done_at.is_(None))
    return session.execute(counted).scalar_one()


def latest_done(session: Session, *, limit: int) -> list[PrivacyRequest]:
    """Newest first."""
    rows = select(PrivacyRequest).where(PrivacyRequest.done_at.is_not(None))
    return list(session.scalars(rows.order_by(PrivacyRequest.done_at.desc(), PrivacyRequest.id.desc()).limit(limit)))


def a_month_after(moment: datetime) -> datetime:
    """The same day and hour of the next month in Paris, or its last day (RGPD, article 12.3; règlement 1182/71)."""
    local = moment.astimezone(PARIS)
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    day = min(local.day, calendar.monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day).astimezone(moment.tzinfo)
