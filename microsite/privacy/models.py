"""What people ask about their own data, and the links to their page that are asked for."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import NEVER_REUSED_ID, Base

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
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id"))
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
