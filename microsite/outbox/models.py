"""OutgoingMail: a mail decided, and what became of it. MailQueue: whether mails leave at all."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
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
    # Sent, and a delivery report said since that it couldn't be delivered.
    BOUNCED = "bounced"
    # For a lead whose address bounced: leaves once they send a form again.
    WAITING = "waiting"


STATUS_LABELS: Mapping[MailStatus, str] = MappingProxyType(
    {
        MailStatus.PENDING: "à envoyer",
        MailStatus.SENT: "envoyé",
        MailStatus.DEAD: "refusé",
        MailStatus.SUPPRESSED: "retenu, trop pour une adresse",
        MailStatus.DROPPED: "abandonné",
        MailStatus.BOUNCED: "non remis",
        MailStatus.WAITING: "en attente, l’adresse ne reçoit plus",
    }
)

# Told to SQLite in these very words, it knows that the index below holds what is asked for.
UNSENT = "status <> 'sent'"

# The one queue's name: unique, so that two processes that need its row make one.
QUEUE = "mail"


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
    # What its Message-ID begins with, the same at each attempt; ends with 128 random bits from the first one on.
    key: Mapped[str] = mapped_column(String(80))
    status: Mapped[MailStatus]
    decided_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    # When it was taken back, having been refused in a row of the same answers: it can't hold the queue again.
    taken_back_at: Mapped[datetime | None]
    # Why the last attempt failed, addresses taken out.
    failure: Mapped[str | None] = mapped_column(String(200))


class MailQueue(Base):
    """One row, called QUEUE: the refusal that the mail server answered last, and since when the queue is held for it.

    `mails` got this answer, one after the other and nothing else in between. While the queue is held, one mail is tried
    from `probe_at` on; `probed_at` is when one was tried last, `probes` how many since.
    """

    __tablename__ = "mail_queue"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), unique=True)
    answer: Mapped[str | None] = mapped_column(String(200))
    mails: Mapped[list[int]] = mapped_column(JSON)
    held_since: Mapped[datetime | None]
    probed_at: Mapped[datetime | None]
    probe_at: Mapped[datetime | None]
    probes: Mapped[int]


class MailHistory(Base):
    """Since when each mail is decided with its cause: the time of the upgrade, where submissions are older than mails.

    No row: since the first submission.
    """

    __tablename__ = "mail_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    complete_since: Mapped[datetime]
