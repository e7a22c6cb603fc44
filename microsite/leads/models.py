"""Lead, Submission, Consent."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeEngine

from ..campaigns.models import AttributionColumns
from ..db import NEVER_REUSED_ID, Base
from .words import NAME_KEY_LIMIT, WORD_LIMIT


def _byte_ordered(length: int) -> TypeEngine[str]:
    """Compared byte by byte on both engines, so that the beginning of a word is a range of the index."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class FormName(StrEnum):
    BROCHURE = "brochure"
    OPEN_DAY = "open-day"
    APPLICATION = "application"


class SubmissionStatus(StrEnum):
    RECEIVED = "received"
    # Filled in by a program, it seems: kept and visible, without lead, seat or mail until released.
    QUARANTINED = "quarantined"
    RELEASED = "released"
    # A person has said so: in no list, no export and no total; gone after 30 days (retention.py).
    SPAM = "spam"


# What counts for nothing, and has no lead.
HELD = (SubmissionStatus.QUARANTINED, SubmissionStatus.SPAM)

# Export batch of a submission that is new to nobody.
NO_BATCH = 0


class Lead(Base):
    """A person, one per normalised e-mail; identity is what was typed first, later submissions keep their own."""

    __tablename__ = "leads"
    __table_args__ = (
        # The orders in which they are listed; the third column lets matching.py pass over leads unread.
        Index(None, "last_contact_at", "id", "created_at"),
        Index(None, "created_at", "id", "last_contact_at"),
        Index(None, "name_key", "id"),
        Index(
            "ix_leads_to_review",
            "last_contact_at",
            "id",
            sqlite_where=text("needs_review = 1"),
            postgresql_where=text("needs_review"),
        ),
        Index("ix_leads_samples", "id", sqlite_where=text("is_sample = 1"), postgresql_where=text("is_sample")),
        NEVER_REUSED_ID,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(20))
    # What names are sorted by (words.py).
    name_key: Mapped[str] = mapped_column(_byte_ordered(NAME_KEY_LIMIT), default="", server_default="")
    # Another name came with the same address: a person decides.
    needs_review: Mapped[bool] = mapped_column(default=False)
    # Raised to revoke every link that was mailed to this person.
    link_version: Mapped[int] = mapped_column(default=1, server_default="1")
    # Nobody: made so that an installation can be tried (samples/). No mail about them ever leaves.
    is_sample: Mapped[bool] = mapped_column(default=False, server_default=false())
    # A delivery report said that this address receives nothing; None again once they send a form.
    bounced_at: Mapped[datetime | None]
    # When migration 0015 parted it from another lead, whose address had been taken for its own: the same time for all
    # that had been one, and for no others. Older rows that no submission came with (a consent of the personal page, a
    # request about data) may be the other one's.
    parted_at: Mapped[datetime | None]
    # No submission of theirs is older than the one, or younger than the other.
    created_at: Mapped[datetime]
    last_contact_at: Mapped[datetime]


class LeadWord(Base):
    """A word by which a lead is found (words.py): of what it is called, and of every name and number typed since."""

    __tablename__ = "lead_words"
    __table_args__ = (Index(None, "word", "lead_id"), {"sqlite_with_rowid": False})

    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id", ondelete="CASCADE"), primary_key=True)
    word: Mapped[str] = mapped_column(_byte_ordered(WORD_LIMIT), primary_key=True)


class Submission(AttributionColumns, Base):
    """One form sent, with its own copy of what was typed; append-only.

    `answers` holds what only this form asks, by field name: dates as ISO 8601 texts, times in UTC.
    """

    __tablename__ = "submissions"
    # Sent twice is kept once: a double click and a reload carry the same nonce and the same answers.
    __table_args__ = (
        UniqueConstraint("form_nonce", "answers_digest"),
        Index(None, "form", "submitted_at"),
        # What leads are filtered by, within dates.
        Index(None, "programme", "submitted_at", "lead_id"),
        Index(None, "utm_campaign", "submitted_at", "lead_id"),
        Index(None, "utm_source", "submitted_at", "lead_id"),
        Index(
            "ix_submissions_held",
            "status",
            "submitted_at",
            "id",
            sqlite_where=text("lead_id IS NULL"),
            postgresql_where=text("lead_id IS NULL"),
        ),
        Index(None, "form", "export_batch"),
        Index(
            "ix_submissions_without_export_batch",
            "id",
            sqlite_where=text("export_batch IS NULL AND lead_id IS NOT NULL"),
            postgresql_where=text("export_batch IS NULL AND lead_id IS NOT NULL"),
        ),
        Index("ix_submissions_samples", "id", sqlite_where=text("is_sample = 1"), postgresql_where=text("is_sample")),
        NEVER_REUSED_ID,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    form: Mapped[FormName]
    status: Mapped[SubmissionStatus]
    submitted_at: Mapped[datetime] = mapped_column(index=True)
    # None while quarantined.
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id"), index=True)
    form_nonce: Mapped[str] = mapped_column(String(32))
    answers_digest: Mapped[str] = mapped_column(String(64))
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(20))
    programme: Mapped[str | None] = mapped_column(String(80))
    level: Mapped[str | None] = mapped_column(String(80))
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Its number in commit order; None: no export has seen it count yet (exports/bookmarks.py).
    export_batch: Mapped[int | None]
    # Sent by nobody (samples/).
    is_sample: Mapped[bool] = mapped_column(default=False, server_default=false())

    lead: Mapped[Lead | None] = relationship()


class ConsentWording(Base):
    """The words that people agreed to, kept word for word whatever becomes of the content file."""

    __tablename__ = "consent_wordings"
    __table_args__ = (UniqueConstraint("channel", "purpose", "version", "text"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(10))
    purpose: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)


class ConsentOrigin(StrEnum):
    FORM = "form"
    # « Mon espace », whose address only the owner of the e-mail address has: given there is confirmed.
    SPACE = "space"


class Consent(Base):
    """A box that was ticked, or a button of the personal page: purpose and channel are those of its wording.

    No row means no consent.
    """

    __tablename__ = "consents"
    __table_args__ = (
        UniqueConstraint("submission_id", "channel"),
        Index(
            "ix_consents_standing",
            "channel",
            "confirmed_at",
            "lead_id",
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # None while the submission is quarantined.
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id"), index=True)
    origin: Mapped[ConsentOrigin] = mapped_column(default=ConsentOrigin.FORM, server_default="form")
    # None for one given without a form.
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    channel: Mapped[str] = mapped_column(String(10))
    wording_id: Mapped[int] = mapped_column(ForeignKey("consent_wordings.id"))
    given_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    wording: Mapped[ConsentWording] = relationship()
