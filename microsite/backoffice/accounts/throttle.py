"""How often one may try to sign in: by account and address, never so that a real person is locked out for good.

OWASP ASVS 5.0, 6.3.1. Somebody who types wrong waits minutes; somebody who attacks an account from elsewhere doesn't
keep its owner out, who has signed in from their own address before.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from ...retention import RETENTION, Rule
from ..models import SignInAttempt

WINDOW = timedelta(minutes=15)
# Failures within WINDOW: of an address on an account, of an address on any, of any address on an account.
PAIR, ADDRESS, ACCOUNT = 5, 30, 20
_REMEMBERED = RETENTION[Rule.ATTEMPTS].delay.span


def remaining_wait(session: Session, *, account: str, address: str, now: datetime) -> timedelta:
    """How long until this account may be tried from this address; zero: now. Both are keyed hashes."""
    of_account, of_address = SignInAttempt.account == account, SignInAttempt.address == address
    waits = [
        _wait(session, [of_account, of_address], limit=PAIR, now=now),
        _wait(session, [of_address], limit=ADDRESS, now=now),
    ]
    if not _has_signed_in(session, account=account, address=address):
        waits.append(_wait(session, [of_account], limit=ACCOUNT, now=now))
    return max(waits)


def note_attempt(session: Session, *, account: str, address: str, is_success: bool, now: datetime) -> None:
    """Success clears what was typed wrong before from there. What is no longer of use is removed on the way."""
    if is_success:
        session.execute(delete(SignInAttempt).filter_by(account=account, address=address))
    session.execute(delete(SignInAttempt).where(~SignInAttempt.is_success, SignInAttempt.tried_at < now - WINDOW))
    session.execute(delete(SignInAttempt).where(SignInAttempt.tried_at < now - _REMEMBERED))
    session.add(SignInAttempt(account=account, address=address, tried_at=now, is_success=is_success))
    session.flush()


def _wait(session: Session, of: list[ColumnElement[bool]], *, limit: int, now: datetime) -> timedelta:
    failed = [*of, ~SignInAttempt.is_success, SignInAttempt.tried_at > now - WINDOW]
    # The one that must grow old before there are fewer than the limit.
    ordered = select(SignInAttempt.tried_at).where(*failed).order_by(SignInAttempt.tried_at.desc())
    oldest = session.scalar(ordered.offset(limit - 1).limit(1))
    return oldest + WINDOW - now if oldest is not None else timedelta(0)


def _has_signed_in(session: Session, *, account: str, address: str) -> bool:
    known = exists().where(SignInAttempt.account == account, SignInAttempt.address == address, SignInAttempt.is_success)
    return bool(session.scalar(select(known)))
