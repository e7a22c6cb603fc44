"""What staff take out: each export, and the bookmarks between what somebody has and what is new to them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import NEVER_REUSED_ID, Base
from ..leads.models import FormName

NAME_LIMIT = 40


class ExportKind(StrEnum):
    # Submissions that a filter means.
    VIEW = "view"
    # Those of a form that came since this person's last export of it.
    NEW = "new"
    # People, who agreed to be called, or written to.
    CALL = "call"
    WRITE = "write"


class ExportBatch(Base):
    """Submissions that were numbered together (bookmarks.py); `at` is when they came."""

    __tablename__ = "export_batches"
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Export(Base):
    """A file that somebody was given; it isn't kept.

    `after_batch` and `after_at` are where the bookmark stood before a NEW one.
    """

    __tablename__ = "exports"
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    kind: Mapped[ExportKind]
    # Of NEW alone.
    form: Mapped[FormName | None]
    dialect: Mapped[str] = mapped_column(String(20))
    row_count: Mapped[int]
    after_batch: Mapped[int] = mapped_column(default=0)
    after_at: Mapped[datetime | None]
    exported_at: Mapped[datetime]


class ExportBookmark(Base):
    """Up to which batch a person, or a command by the name it was given, has taken this form's submissions.

    `at` is None for one at the very beginning.
    """

    __tablename__ = "export_bookmarks"
    __table_args__ = (UniqueConstraint("staff_id", "form"), UniqueConstraint("name", "form"))

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    name: Mapped[str | None] = mapped_column(String(NAME_LIMIT))
    form: Mapped[FormName]
    batch: Mapped[int]
    at: Mapped[datetime | None]
