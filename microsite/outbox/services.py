"""Deciding a mail, claiming one that is due, and noting what became of it. Callers commit."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, and_, bindparam, case, literal, update
from sqlalchemy.orm import Session

from ..db import insert_for
from ..prepared import Prepared
from .models import Audience, MailStatus, OutgoingMail
from .queries import due_mails, recent_mails

# Mails about one lead, to one audience, in 24 hours; a person who uses all three forms gets four.
DAILY_CAP = 6
# How long a worker has a mail to itself. Longer than any sending (transports.py), so that two never send the same.
LEASE = timedelta(minutes=5)
# With the delays below, about two days: a mail server's week-end outage may need `outbox retry`.
MAX_ATTEMPTS = 16
_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(hours=6)


class MailAlreadySent(ValueError):
    """What has left can be neither dropped nor sent again."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A mail in the hands of one worker, until `until`."""

    id: int
    template: str
    cause: str
    key: str
    attempts: int
    until: datetime


def enqueue(
    session: Session,
    *,
    template: str,
    cause: str,
    now: datetime,
    lead_id: int | None = None,
    audience: Audience = Audience.LEAD,
    due_at: datetime | None = None,
    is_capped: bool = True,
) -> None:
    """Decide a mail, in the transaction of what causes it; once per template and cause, however often it is asked.

    On PostgreSQL it waits for whoever changes the one that is decided already.

    It leaves from `due_at` on, or at once. Beyond DAILY_CAP for one lead it is suppressed: kept and counted, not sent;
    unless `is_capped` says that no stranger can cause it, however often they type somebody's address.
    """
    mail = {
        "template": template,
        "cause": cause,
        "audience": audience,
        "lead_id": lead_id,
        # It names a message and opens nothing; to ask the system for it would let another thread go on.
        "key": f"{now:%Y%m%dT%H%M%S}.{template}.{random.getrandbits(64):016x}",
        "decided_at": now,
        "due_at": due_at or now,
    }
    counted = {"about": lead_id, "told": audience, "since": now - timedelta(days=1), "is_capped": is_capped}
    # What it is about may be new in this transaction too.
    session.flush()
    _DECIDE.run(session, mail | counted)


def _decision(dialect: str) -> Any:
    """One statement, for each lead causes several: what is decided already stays, whoever decided it."""
    too_many = and_(bindparam("is_capped", type_=Boolean), recent_mails(DAILY_CAP) >= DAILY_CAP)
    status = OutgoingMail.__table__.c.status.type
    suppressed, pending = (literal(member, status) for member in (MailStatus.SUPPRESSED, MailStatus.PENDING))
    decision = insert_for(dialect, OutgoingMail.__table__).values(status=case((too_many, suppressed), else_=pending))
    return decision.on_conflict_do_nothing(index_elements=["template", "cause"])


_DECIDE = Prepared(_decision)


def claim(session: Session, *, now: datetime) -> Claim | None:
    """Take the mail that has been due for longest and that no worker holds; None if there is none left to try.

    Once committed it is this worker's for LEASE; should the worker die, the mail falls due again.
    """
    mail = session.scalar(due_mails(now).limit(1).with_for_update(skip_locked=True))
    if mail is None:
        return None
    if mail.attempts >= MAX_ATTEMPTS:
        # Nobody was left to note how its last attempt ended: this mail may be what ends workers.
        mail.status, mail.failure = MailStatus.DEAD, "interrompu pendant l’envoi"
        return None
    mail.claimed_until = now + LEASE
    mail.attempts += 1
    session.flush()
    return Claim(
        id=mail.id,
        template=mail.template,
        cause=mail.cause,
        key=mail.key,
        attempts=mail.attempts,
        until=mail.claimed_until,
    )


def give_back(session: Session, held: Claim) -> None:
    """It hasn't left, and whoever holds it ends: another one may take it at once. This attempt counts for nothing."""
    _settle(session, held, attempts=held.attempts - 1)


def mark_sent(session: Session, held: Claim, *, now: datetime) -> bool:
    """Whoever holds it by now, and whatever was decided meanwhile: it has left.

    False where its person was erased since: nothing is to tell that it did.
    """
    left = {"status": MailStatus.SENT, "sent_at": now, "failure": None, "claimed_until": None}
    noted = update(OutgoingMail).where(OutgoingMail.id == held.id).values(left).returning(OutgoingMail.id)
    return session.scalar(noted) is not None


def mark_dead(session: Session, held: Claim, reason: str) -> None:
    _settle(session, held, status=MailStatus.DEAD, failure=reason)


def mark_pointless(session: Session, held: Claim) -> None:
    """What it was about has gone."""
    _settle(session, held, status=MailStatus.DROPPED, failure="sans objet")


def postpone(session: Session, held: Claim, reason: str, *, now: datetime) -> None:
    """Try again later, and later still each time; a mail tried MAX_ATTEMPTS times is dead."""
    if held.attempts >= MAX_ATTEMPTS:
        mark_dead(session, held, reason)
    else:
        _settle(session, held, due_at=now + delay_after(held.attempts), failure=reason)


def delay_after(attempts: int) -> timedelta:
    """1, 2, 4… minutes, six hours at most, each a quarter longer or shorter so that retries don't come in crowds."""
    doubled = min(_FIRST_DELAY * 2.0 ** (attempts - 1), _LONGEST_DELAY)
    return doubled * random.uniform(0.75, 1.25)  # noqa: S311  # no secret


def _settle(session: Session, held: Claim, **values: object) -> None:
    # Only what this worker still holds: after the lease another one may have taken it, or a person dropped it.
    is_held = (OutgoingMail.claimed_until == held.until, OutgoingMail.status == MailStatus.PENDING)
    session.execute(
        update(OutgoingMail).where(OutgoingMail.id == held.id, *is_held).values(claimed_until=None, **values)
    )


def retry(mail: OutgoingMail, *, now: datetime) -> None:
    """Send it after all, or at once. Raises MailAlreadySent."""
    _refuse_sent(mail)
    mail.status, mail.attempts, mail.due_at, mail.failure = MailStatus.PENDING, 0, now, None


def drop(mail: OutgoingMail) -> None:
    """Never send it. Raises MailAlreadySent."""
    _refuse_sent(mail)
    mail.status, mail.failure = MailStatus.DROPPED, "abandonné à la main"


def _refuse_sent(mail: OutgoingMail) -> None:
    if mail.status is MailStatus.SENT:
        raise MailAlreadySent(mail.id)
