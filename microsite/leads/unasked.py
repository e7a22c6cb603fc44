"""Consents to e-mails from before any mail was decided, which nobody was ever asked to confirm."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from ..outbox.models import OutgoingMail
from ..outbox.queries import mails_complete_since
from .consents import CONSENT_EMAIL, EMAIL
from .models import Consent


def find_unasked(session: Session, lead_ids: Collection[int]) -> dict[int, datetime]:
    """Find which of these leads agreed to e-mails and were never asked to confirm it; since when mails are decided."""
    since = mails_complete_since(session)
    if since is None:
        return {}
    theirs = _unasked_leads(since).where(Consent.lead_id.in_(lead_ids))
    return {lead_id: since for lead_id in session.scalars(theirs) if lead_id is not None}


def count_unasked(session: Session) -> tuple[int, datetime | None]:
    """Count these leads; with it, since when mails are decided."""
    since = mails_complete_since(session)
    if since is None:
        return 0, None
    return session.execute(select(func.count()).select_from(_unasked_leads(since).subquery())).scalar_one(), since


def _unasked_leads(since: datetime) -> Select[int | None]:
    """Leads whose every consent to e-mails is unconfirmed and older than mails.

    A later one asked for its confirmation, even if that mail has been deleted since.
    """
    other = aliased(Consent)
    settled = (
        select(other.id)
        .where(other.lead_id == Consent.lead_id, other.channel == EMAIL)
        .where(or_(other.given_at >= since, other.confirmed_at.is_not(None)))
    )
    asked = select(OutgoingMail.id).where(
        OutgoingMail.lead_id == Consent.lead_id, OutgoingMail.template == CONSENT_EMAIL.name
    )
    standing = Consent.lead_id.is_not(None), Consent.channel == EMAIL, Consent.withdrawn_at.is_(None)
    return (
        select(Consent.lead_id)
        .where(*standing, Consent.confirmed_at.is_(None), Consent.given_at < since)
        .where(~settled.exists(), ~asked.exists())
        .distinct()
    )
