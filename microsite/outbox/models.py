"""OutgoingMail: a mail decided, not yet sent."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import NEVER_REUSED_ID, Base


class MailStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    # Refused for good, or tried too often: a person decides.
    DEAD = "dead"
    # Beyond what one address may be sent in a day.
    SUPPRESSED = "suppressed"
    # Has lost its reason, or a person said so.
    DROPPED = "dropped"


# Told to SQLite in these very words, it knows that the index below holds what is asked for.
UNSENT = "status <> 'sent'"


class Audience(StrEnum):
    LEAD = "lead"
    ADMISSIONS = "admissions"


class OutgoingMail(Base):
    """Which template, and what caused it: the rest is looked up when it is sent.

    `cause` names a row for the template's composer (a submission's reference, say), never anything personal.
    `due_at` is when it may be tried next; until `claimed_until` it is in the hands of one worker.
    """

    __tablename__ = "outgoing_mails"
    __table_args__ = (
        # One mail for a cause, however often its transaction is run.
        UniqueConstraint("template", "cause"),
        Index(
            "ix_outgoing_mails_due",
            "due_at",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        # What a person looks at.
        Index("ix_outgoing_mails_unsent", "status", "id", sqlite_where=text(UNSENT), postgresql_where=text(UNSENT)),
        # What a lead was sent lately.
        Index(None, "lead_id", "audience", "status", "decided_at"),
        NEVER_REUSED_ID,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    template: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(80))
    audience: Mapped[Audience]
    # Whom it is about; None for a digest.
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id"))
    # What its Message-ID begins with, the same at each attempt.
    key: Mapped[str] = mapped_column(String(80))
    status: Mapped[MailStatus]
    decided_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    # Why the last attempt failed, addresses taken out.
    failure: Mapped[str | None] = mapped_column(String(200))


class MailHistory(Base):
    """Since when each mail is decided with its cause: the time of the upgrade, where submissions are older than mails.

    No row: since the first submission.
    """

    __tablename__ = "mail_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    complete_since: Mapped[datetime]
