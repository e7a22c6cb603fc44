"""What people ask about their own data and the links that they ask for; what stays of who was erased, and when."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from ..campaigns.models import VIEW_LIMIT
from ..db import NEVER_REUSED_ID, Base
from ..leads.models import FormName

_OPEN = text("done_at is null")


class RequestKind(StrEnum):
    # RGPD, articles 15 and 20; article 17.
    COPY = "copy"
    ERASURE = "erasure"


class PrivacyRequest(Base):
    """A request to be answered by `due_at`; open until it is done, one of each kind for a lead."""

    __tablename__ = "privacy_requests"
    __table_args__ = (
        Index("uq_privacy_requests_open", "lead_id", "kind", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        NEVER_REUSED_ID,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # None once the person is erased: that they asked, and when it was done, stays.
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id"), index=True)
    kind: Mapped[RequestKind]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class AccessRequest(Base):
    """An address for which a link was asked, known or not; the background worker answers and deletes it.

    The page that takes it looks nobody up, so that neither what it says nor its time tells who is known.
    """

    __tablename__ = "access_requests"
    # Ids make the causes of mails.
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    asked_at: Mapped[datetime]


class MonthlyTotal(Base):
    """How many submissions of a month (Paris) aren't kept any more: nobody in particular, and no single day.

    Unknown texts are empty, never NULL, which the unique key would take for different ones.
    """

    __tablename__ = "past_submissions"
    # Named: PostgreSQL's names end at 63 characters.
    __table_args__ = (UniqueConstraint("month", "form", "campaign", "source", name="uq_past_submissions_counted"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # Its first day.
    month: Mapped[date]
    form: Mapped[FormName]
    campaign: Mapped[str] = mapped_column(String(VIEW_LIMIT))
    source: Mapped[str] = mapped_column(String(VIEW_LIMIT))
    count: Mapped[int]


class ErasedAddress(Base):
    """An address whose owner was erased, as a keyed hash (erased_addresses.py): what is older isn't to come back."""

    __tablename__ = "erased_addresses"
    __table_args__ = (UniqueConstraint("digest", "is_casefolded"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # HMAC-SHA-256 of the address's key, in hexadecimal.
    digest: Mapped[str] = mapped_column(String(64))
    # Made before migration 0015, by casefolded_key(): nothing can tell which of several mailboxes it was.
    is_casefolded: Mapped[bool] = mapped_column(default=False, server_default=true())
    # The last time.
    erased_at: Mapped[datetime]


class CleanupKind(StrEnum):
    MAIL_FILE = "mail"
    # Deleted rows stay readable in the database's own files until VACUUM.
    VACUUM = "database"


class PendingCleanup(Base):
    """What is still to be removed after rows were deleted for good, recorded with their deletion."""

    __tablename__ = "leftovers"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[CleanupKind]
    # A mail's key; empty for VACUUM.
    name: Mapped[str] = mapped_column(String(80))
    since: Mapped[datetime]


class PurgeRun(Base):
    """A run of the purge; `removed` counts rows and files by retention rule. `ended_at` is None if interrupted."""

    __tablename__ = "purge_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    removed: Mapped[dict[str, int]] = mapped_column(JSON)
