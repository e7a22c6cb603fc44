"""What staff take out: each export, and each person's mark between what they have and what is new."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import NEVER_REUSED_ID, Base
from ..leads.models import FormName

TOKEN_LIMIT = 32
FAILURE_LIMIT = 200


class ExportKind(StrEnum):
    # Submissions that a filter means.
    VIEW = "view"
    # Those of a form that came since this person's last export of it.
    NEW = "new"
    # People, who agreed to be called, or written to.
    CALL = "call"
    WRITE = "write"


class ExportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    # Its file is gone, as it is to be.
    REMOVED = "removed"


class Wave(Base):
    """Submissions that began to count since the wave before (waves.py)."""

    __tablename__ = "export_waves"
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Export(Base):
    """A file that somebody asked for; `token` names it, and is where its page stands.

    A NEW one holds the waves after `after_wave`, which was the person's mark, up to `upto_wave`; `after_at` and
    `cut_at` are their times.
    """

    __tablename__ = "exports"
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(TOKEN_LIMIT), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    kind: Mapped[ExportKind]
    # Of NEW alone.
    form: Mapped[FormName | None]
    # LeadFilter.args(); what was searched for goes with the file.
    filter: Mapped[dict[str, Any]] = mapped_column(JSON)
    dialect: Mapped[str] = mapped_column(String(20))
    state: Mapped[ExportState] = mapped_column(index=True)
    # Whoever prepares it holds the number of its attempt: one that was taken over finds another.
    attempts: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    written: Mapped[int] = mapped_column(default=0)
    # In bytes.
    size: Mapped[int | None] = mapped_column(BigInteger)
    failure: Mapped[str] = mapped_column(String(FAILURE_LIMIT), default="")
    after_wave: Mapped[int] = mapped_column(default=0)
    after_at: Mapped[datetime | None]
    upto_wave: Mapped[int | None]
    cut_at: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    # The last sign of life of whoever prepares it.
    beat_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]

    @property
    def is_unfinished(self) -> bool:
        return self.state in (ExportState.WAITING, ExportState.RUNNING)


class ExportMark(Base):
    """Up to which wave this person has taken this form's submissions; `at` is None for one at the very beginning."""

    __tablename__ = "export_marks"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    form: Mapped[FormName] = mapped_column(primary_key=True)
    wave: Mapped[int]
    at: Mapped[datetime | None]
