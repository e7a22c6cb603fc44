"""Accounts and sessions of staff. Callers commit."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...leads.normalise import email_key
from ..models import Role, StaffMember, StaffSession
from .passwords import hash_password, is_password

# A session ends after this long without a request, and after this long in any case (OWASP ASVS 5.0, 7.3).
IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
# How often a session's last request is written down.
_SEEN_EVERY = timedelta(minutes=5)


class StaffExists(ValueError):
    """Another account has this address."""


def add_staff(
    session: Session, *, email: str, name: str, role: Role, password: str, must_change_password: bool, now: datetime
) -> StaffMember:
    """Raises StaffExists."""
    staff = StaffMember(
        email=email_key(email),
        name=name,
        role=role,
        password_hash=hash_password(password),
        must_change_password=must_change_password,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(staff)
    except IntegrityError:
        raise StaffExists(email) from None
    return staff


def find_staff(session: Session, email: str) -> StaffMember | None:
    return session.scalar(select(StaffMember).where(StaffMember.email == email_key(email)))


def authenticate(session: Session, *, email: str, password: str) -> StaffMember | None:
    """Whose address and password these are; takes as long for an unknown or a disabled account."""
    staff = find_staff(session, email)
    is_enabled = staff is not None and staff.disabled_at is None
    is_right = is_password(password, staff.password_hash if staff and is_enabled else None)
    return staff if is_right else None


def begin_session(session: Session, staff: StaffMember, *, now: datetime) -> str:
    """A new session; what its cookie is to say."""
    token = secrets.token_urlsafe(32)
    session.add(StaffSession(staff_id=staff.id, digest=_digest(token), begun_at=now, seen_at=now))
    session.flush()
    return token


def find_session(session: Session, token: str, *, now: datetime) -> StaffSession | None:
    """The session that this cookie stands for, unless it is over: ended, idle or too old, or its owner disabled."""
    found = session.scalar(select(StaffSession).where(StaffSession.digest == _digest(token)))
    if found is None or found.ended_at is not None or found.staff.disabled_at is not None:
        return None
    return None if now - found.seen_at > IDLE or now - found.begun_at > LONGEST else found


def open_sessions(session: Session, staff_id: int, *, now: datetime) -> Sequence[StaffSession]:
    """Where somebody is signed in, the latest first."""
    is_open = (
        StaffSession.ended_at.is_(None),
        StaffSession.seen_at >= now - IDLE,
        StaffSession.begun_at >= now - LONGEST,
    )
    found = select(StaffSession).where(StaffSession.staff_id == staff_id, *is_open)
    return session.scalars(found.order_by(StaffSession.begun_at.desc(), StaffSession.id.desc())).all()


def is_to_be_seen(found: StaffSession, *, now: datetime) -> bool:
    """Whether this request is to be noted as the session's last one."""
    return now - found.seen_at > _SEEN_EVERY


def see(session: Session, session_id: int, *, now: datetime) -> None:
    session.execute(update(StaffSession).where(StaffSession.id == session_id).values(seen_at=now))


def end_session(session: Session, session_id: int, *, now: datetime) -> None:
    session.execute(update(StaffSession).where(StaffSession.id == session_id).values(ended_at=now))


def end_all_sessions(session: Session, staff: StaffMember, *, but: int | None = None, now: datetime) -> None:
    """`but` is the session that goes on."""
    of_staff = StaffSession.staff_id == staff.id, StaffSession.id != (but or 0), StaffSession.ended_at.is_(None)
    session.execute(update(StaffSession).where(*of_staff).values(ended_at=now))


def set_password(session: Session, staff: StaffMember, password_hash: str, *, must_change: bool, now: datetime) -> None:
    """Every browser is signed out by it. The hash is slow to make: callers do that before they write."""
    staff.password_hash = password_hash
    staff.must_change_password = must_change
    end_all_sessions(session, staff, now=now)


def disable(session: Session, staff: StaffMember, *, now: datetime) -> None:
    staff.disabled_at = staff.disabled_at or now
    end_all_sessions(session, staff, now=now)


def enable(staff: StaffMember) -> None:
    staff.disabled_at = None


def _digest(token: str) -> str:
    # Drawn at random, a token needs no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()
