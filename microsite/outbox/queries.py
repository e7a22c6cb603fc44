"""What is due, what is stuck, what a lead was sent."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    Boolean,
    ColumnElement,
    ScalarSelect,
    Select,
    bindparam,
    case,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session, aliased

from ..db import UTCDateTime
from .emails import Email
from .models import UNSENT, MailHistory, MailStatus, OutgoingMail

# The table is an upper row's: only its name is known here, as in the foreign key.
_LEADS = table("leads", column("id"), column("is_sample", Boolean), column("bounced_at", UTCDateTime))
# In the order in which they need a look.
_ORDER = (
    MailStatus.DEAD,
    MailStatus.BOUNCED,
    MailStatus.PENDING,
    MailStatus.WAITING,
    MailStatus.SUPPRESSED,
    MailStatus.DROPPED,
    MailStatus.SENT,
)


def find_decided(session: Session, email: Email, *, cause: str) -> int | None:
    return session.scalar(select(OutgoingMail.id).filter_by(template=email.name, cause=cause))


def mails_complete_since(session: Session) -> datetime | None:
    """What is older may have been sent without a mail being decided; None: nothing is older."""
    return session.scalar(select(func.max(MailHistory.complete_since)))


def recent_mails(limit: int) -> ScalarSelect[int]:
    """How many mails about the lead `:about` for the audience `:to` were decided after `:since` and not suppressed.

    Counts no further than `limit`.
    """
    # As values SQLite would have the statement put together anew each time: a limit, and what a partial index's
    # condition speaks of.
    suppressed: ColumnElement[str] = literal_column(f"'{MailStatus.SUPPRESSED}'")
    most: ColumnElement[int] = literal_column(str(limit))
    mails = aliased(OutgoingMail)
    rows = select(mails.id).where(
        mails.lead_id == bindparam("about"),
        mails.audience == bindparam("to"),
        mails.status != suppressed,
        mails.decided_at > bindparam("since"),
    )
    return select(func.count()).select_from(rows.limit(most).subquery()).scalar_subquery()


def has_bounced() -> ColumnElement[bool]:
    """Whether the lead `:about` has an address that receives nothing."""
    return exists().where(_LEADS.c.id == bindparam("about"), _LEADS.c.bounced_at.is_not(None))


def due_mails(now: datetime) -> Select[OutgoingMail]:
    """Mails to be sent now that no worker holds, the one that has been due for longest first."""
    free = or_(OutgoingMail.claimed_until.is_(None), OutgoingMail.claimed_until <= now)
    due = select(OutgoingMail).where(OutgoingMail.status == MailStatus.PENDING, OutgoingMail.due_at <= now, free)
    return due.order_by(OutgoingMail.due_at, OutgoingMail.id)


def is_any(session: Session, mails: Select[OutgoingMail]) -> bool:
    return session.scalar(mails.with_only_columns(OutgoingMail.id).limit(1)) is not None


def due_since(session: Session, *, now: datetime) -> datetime | None:
    """Since when the mail that has been due for longest waits for a worker."""
    return session.scalar(due_mails(now).with_only_columns(OutgoingMail.due_at).limit(1))


def list_mails(session: Session, *, statuses: Collection[MailStatus], limit: int) -> list[OutgoingMail]:
    """Those that need a look first, then newest first."""
    urgency = case({status.value: place for place, status in enumerate(_ORDER)}, value=OutgoingMail.status)
    mails = select(OutgoingMail).where(OutgoingMail.status.in_(statuses))
    return list(session.scalars(mails.order_by(urgency, OutgoingMail.id.desc()).limit(limit)))


def list_latest(session: Session, *, status: MailStatus, before: int, limit: int) -> list[OutgoingMail]:
    """In that state, which isn't that of being sent; newest first, from below that id on."""
    mails = _unsent(status).where(OutgoingMail.id < before)
    return list(session.scalars(mails.order_by(OutgoingMail.id.desc()).limit(limit)))


def count_unsent(session: Session, status: MailStatus, *, limit: int) -> int:
    """How many are in that state, which isn't that of being sent, or `limit`."""
    few = _unsent(status).with_only_columns(OutgoingMail.id).limit(limit).subquery()
    return session.execute(select(func.count()).select_from(few)).scalar_one()


def is_about_sample(session: Session, mail_id: int) -> bool:
    """Whether the lead that this mail is about is none (Lead.is_sample)."""
    sample = exists().where(_LEADS.c.id == OutgoingMail.lead_id, _LEADS.c.is_sample)
    return session.scalar(select(OutgoingMail.id).where(OutgoingMail.id == mail_id, sample)) is not None


def _unsent(status: MailStatus) -> Select[OutgoingMail]:
    return select(OutgoingMail).where(OutgoingMail.status == status, text(UNSENT))


def count_by_status(session: Session) -> dict[MailStatus, int]:
    counted = select(OutgoingMail.status, func.count()).group_by(OutgoingMail.status)
    counts = {row[0]: row[1] for row in session.execute(counted)}
    return {status: counts.get(status, 0) for status in _ORDER}
