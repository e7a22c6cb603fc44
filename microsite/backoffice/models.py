"""Who works here, how they are signed in, and what they did."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import NEVER_REUSED_ID, Base

NAME_LIMIT = 100


class Role(StrEnum):
    # Leads, open days, exports.
    ADMISSIONS = "admissions"
    # Campaigns and totals, never a personal datum.
    MARKETING = "marketing"
    # Everything, staff and settings included.
    ADMINISTRATOR = "administrator"


class StaffMember(Base):
    """Somebody of the team; `email` is what they sign in with, in its comparable form (leads/normalise.py)."""

    __tablename__ = "staff"
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_LIMIT))
    role: Mapped[Role]
    # argon2id, with its parameters and salt (RFC 9106).
    password_hash: Mapped[str] = mapped_column(String(200))
    # Somebody else chose it.
    must_change_password: Mapped[bool]
    # Base32, None without a second step; `totp_used` is the last 30-second step whose code was taken (RFC 6238).
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    totp_used: Mapped[int | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """Stands in once for a lost telephone; SHA-256 in hexadecimal, for it is drawn at random."""

    __tablename__ = "staff_recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class StaffSession(Base):
    """A browser that is signed in: `digest` is the SHA-256 of what its cookie says. Ended, it is refused for good."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    begun_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    staff: Mapped[StaffMember] = relationship()


class SignInAttempt(Base):
    """A password or code that was tried; account and address as keyed hashes, so that the table names nobody."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index(None, "account", "tried_at"), Index(None, "address", "tried_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    tried_at: Mapped[datetime]
    is_success: Mapped[bool]


class AuditEntry(Base):
    """What somebody saw or did; ids and counts, nothing personal. Only ever added to: the database refuses the rest."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "subject", "subject_id"), NEVER_REUSED_ID)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    # None: a command, or nobody who is known.
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    action: Mapped[str] = mapped_column(String(40))
    # What it was done to: a kind and an id.
    subject: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
