"""What people ask about their data: noted once while it is open, told to admissions, confirmed to its owner.

Callers commit, and hold the lead.
"""

import calendar
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..leads.consents import standing_consents, withdraw
from ..leads.models import Lead
from ..outbox.models import Audience
from ..outbox.services import enqueue
from ..school import PARIS
from .models import PrivacyRequest, RequestKind

# Mails: to admissions, and to who asks.
TOLD, NOTED = "privacy_request", "privacy_noted"


def ask(session: Session, lead: Lead, kind: RequestKind, *, now: datetime) -> bool:
    """Note the request; False if one of this kind is open already, which stays as it is.

    Whoever wants to be erased isn't written to meanwhile: their consents end at once, as the confirmation says.
    """
    if any(request.kind is kind for request in open_requests(session, lead.id)):
        return False
    request = PrivacyRequest(lead_id=lead.id, kind=kind, asked_at=now, due_at=a_month_after(now))
    session.add(request)
    session.flush()
    if kind is RequestKind.ERASURE:
        _withdraw_all(session, lead, now=now)
    # Only the owner of the address can cause them, or staff.
    for template, audience in ((TOLD, Audience.ADMISSIONS), (NOTED, Audience.LEAD)):
        enqueue(
            session,
            template=template,
            cause=str(request.id),
            audience=audience,
            lead_id=lead.id,
            now=now,
            is_capped=False,
        )
    return True


def _withdraw_all(session: Session, lead: Lead, *, now: datetime) -> None:
    for channel in {consent.channel for consent in standing_consents(session, lead.id)}:
        withdraw(session, lead.id, channel, now=now)


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
