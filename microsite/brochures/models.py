"""Which PDFs the brochure has been, and how often, and when, each request's was opened."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import NEVER_REUSED_ID, Base

NOTE_LIMIT = 200


class BrochureVersion(Base):
    """A PDF that the school has uploaded; the file is named after its content, so that it never changes."""

    __tablename__ = "brochure_versions"
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    # SHA-256 of the file, in hexadecimal.
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    # In bytes.
    size: Mapped[int]
    note: Mapped[str] = mapped_column(String(NOTE_LIMIT))
    added_at: Mapped[datetime]
    added_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    # The one that was chosen last is given; None: no longer, or never.
    chosen_at: Mapped[datetime | None]


class BrochureDownload(Base):
    """A download, counted when the file's first byte is asked for. Belongs to a request, hence to a person."""

    __tablename__ = "brochure_downloads"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    # None: the operator's own file, or the specimen.
    version_id: Mapped[int | None] = mapped_column(ForeignKey("brochure_versions.id"), index=True)
    downloaded_at: Mapped[datetime]
