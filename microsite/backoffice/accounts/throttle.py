"""How often one may try to sign in: by account and address, never so that a real person is locked out for good.

OWASP ASVS 5.0, 6.3.1. Somebody who types wrong waits minutes; somebody who attacks an account from elsewhere doesn't
keep its owner out, who has signed in from their own address before.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select, text
from sqlalchemy.orm import Session

from ...privacy.retention import RETENTION, Rule
from ..models import SignInAttempt

WINDOW = timedelta(minutes=15)
# Failures, and tries that are being judged, within WINDOW: of an address on an account, of an address on any, of any
# address on an account; and of all whose address can't be read on any.
PAIR, ADDRESS, ACCOUNT, UNREADABLE = 5, 30, 20, 300
# In place of the keyed hash of an address that can't be read.
NO_ADDRESS = ""
_REMEMBERED = RETENTION[Rule.ATTEMPTS].delay.span


class TooOften(ValueError):
    """Not now; `seconds` until the next try."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(str(wait))
        self.seconds = int(wait.total_seconds()) + 1


def take_attempt(session: Session, *, account: str, address: str, now: datetime) -> int:
    """Note a failure before the password is looked at, so that guesses sent at once are counted all the same; its id.

    Callers commit at once, judge, and say how it went. Both texts are keyed hashes. Raises TooOften.
    """
    if session.get_bind().dialect.name == "postgresql":
        # SQLite has one writer at a time anyway.
        session.execute(text("LOCK TABLE sign_in_attempts IN SHARE ROW EXCLUSIVE MODE"))
    wait = _remaining_wait(session, account=account, address=address, now=now)
    if wait:
        raise TooOften(wait)
    # What is no longer of use is removed on the way.
    session.execute(delete(SignInAttempt).where(~SignInAttempt.is_success, SignInAttempt.tried_at < now - WINDOW))
    session.execute(delete(SignInAttempt).where(SignInAttempt.tried_at < now - _REMEMBERED))
    attempt = SignInAttempt(account=account, address=address, tried_at=now, is_success=False)
    session.add(attempt)
    session.flush()
    return attempt.id


def give_back(session: Session, attempt_id: int) -> None:
    """It was no failure; nor is anybody in by it."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.id == attempt_id))


def note_success(session: Session, *, account: str, address: str, now: datetime) -> None:
    """Delete the failures of this account from this address, and count the success."""
    session.execute(delete(SignInAttempt).filter_by(account=account, address=address))
    session.add(SignInAttempt(account=account, address=address, tried_at=now, is_success=True))
    session.flush()


def _remaining_wait(session: Session, *, account: str, address: str, now: datetime) -> timedelta:
    """How long until this account may be tried from this address; zero: now."""
    of_account, of_address = SignInAttempt.account == account, SignInAttempt.address == address
    if address == NO_ADDRESS:
        # Anybody's: neither may one person's mistakes keep others out, nor does one person's success let others in.
        by_account = _wait(session, [of_account], limit=ACCOUNT, now=now)
        return max(by_account, _wait(session, [of_address], limit=UNREADABLE, now=now))
    waits = [
        _wait(session, [of_account, of_address], limit=PAIR, now=now),
        _wait(session, [of_address], limit=ADDRESS, now=now),
    ]
    if not _has_signed_in(session, account=account, address=address):
        waits.append(_wait(session, [of_account], limit=ACCOUNT, now=now))
    return max(waits)


def _wait(session: Session, of: list[ColumnElement[bool]], *, limit: int, now: datetime) -> timedelta:
    failed = [*of, ~SignInAttempt.is_success, SignInAttempt.tried_at > now - WINDOW]
    # The one that must grow old before there are fewer than the limit.
    ordered = select(SignInAttempt.tried_at).where(*failed).order_by(SignInAttempt.tried_at.desc())
    oldest = session.scalar(ordered.offset(limit - 1).limit(1))
    return oldest + WINDOW - now if oldest is not None else timedelta(0)


def _has_signed_in(session: Session, *, account: str, address: str) -> bool:
    known = exists().where(SignInAttempt.account == account, SignInAttempt.address == address, SignInAttempt.is_success)
    return bool(session.scalar(select(known)))
