"""Deciding a mail, claiming one that is due, and noting what became of it. Callers commit."""

import random
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Select, and_, bindparam, case, literal, select, update
from sqlalchemy.orm import Session

from ..db import insert_for
from ..prepared import Prepared
from . import holds
from .answers import is_same_answer
from .emails import Email
from .models import Audience, MailQueue, MailStatus, OutgoingMail
from .queries import due_mails, has_bounced, recent_mails

# Mails about one lead, to one audience, in 24 hours; a person who uses all three forms gets four.
DAILY_CAP = 6
# How long a worker has a mail to itself. Longer than any sending (transports.py), so that two never send the same.
LEASE = timedelta(minutes=5)
# With the delays below, about two days: a mail server's week-end outage may need `outbox retry`.
MAX_ATTEMPTS = 16
_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(hours=6)
# Bytes of what nobody can guess in a Message-ID: a delivery report is believed for it (delivery_reports.py).
_SECRET_BYTES = 16
_SECRET_KEY = re.compile(rf".*\.[0-9a-f]{{{2 * _SECRET_BYTES}}}")


class MailAlreadySent(ValueError):
    """What has left can be neither dropped nor sent again."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A mail in the hands of one worker, until `until`. `is_probe`: it asks whether the queue is still to be held."""

    id: int
    template: str
    cause: str
    key: str
    attempts: int
    until: datetime
    is_probe: bool = False


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a mail didn't leave. `is_interruption`: the connection was lost, and nothing answered.

    `is_to_mail`: it seems to be about us, but was answered to this mail's recipient or text, and may mean them alone.
    """

    answer: str
    is_about_us: bool
    is_to_mail: bool = False
    is_interruption: bool
    is_final: bool


def enqueue(
    session: Session,
    email: Email,
    *,
    cause: str,
    now: datetime,
    lead_id: int | None = None,
    due_at: datetime | None = None,
) -> None:
    """Decide a mail, in the transaction of what causes it; once per e-mail and cause, however often it is asked.

    On PostgreSQL it waits for whoever changes the one that is decided already.

    It leaves from `due_at` on, or at once. Beyond DAILY_CAP for one lead a capped e-mail is suppressed: kept and
    counted, not sent. To a lead whose address bounced it waits for them to send a form.
    """
    mail = {
        "template": email.name,
        "cause": cause,
        "audience": email.audience,
        "lead_id": lead_id,
        # Claiming adds what nobody can guess: to ask the system for it here would let another thread go on.
        "key": f"{now:%Y%m%dT%H%M%S}.{email.name}.{random.getrandbits(64):016x}",
        "decided_at": now,
        "due_at": due_at or now,
    }
    counted = {"about": lead_id, "to": email.audience, "since": now - timedelta(days=1), "is_capped": email.is_capped}
    # What it is about may be new in this transaction too.
    session.flush()
    _DECIDE.run(session, mail | counted)


def _decision(dialect: str) -> Any:
    """One statement, for each lead causes several: what is decided already stays, whoever decided it."""
    too_many = and_(bindparam("is_capped", type_=Boolean), recent_mails(DAILY_CAP) >= DAILY_CAP)
    status = OutgoingMail.__table__.c.status.type
    members = (MailStatus.SUPPRESSED, MailStatus.WAITING, MailStatus.PENDING)
    suppressed, waiting, pending = (literal(member, status) for member in members)
    in_vain = and_(bindparam("to", type_=OutgoingMail.__table__.c.audience.type) == Audience.LEAD, has_bounced())
    decision = insert_for(dialect, OutgoingMail.__table__).values(
        status=case((too_many, suppressed), (in_vain, waiting), else_=pending)
    )
    return decision.on_conflict_do_nothing(index_elements=["template", "cause"])


_DECIDE = Prepared(_decision)


def claim(session: Session, *, now: datetime) -> Claim | None:
    """Take the mail that has been due for longest and that no worker holds; None if there is none left to try.

    Once committed it is this worker's for LEASE; should the worker die, the mail falls due again. While the queue is
    held there is one to try from time to time.
    """
    queue = holds.lock_queue(session) if holds.find_hold(session) else None
    due = next_mails(session, queue, now=now)
    mail = None if due is None else session.scalar(due.limit(1).with_for_update(skip_locked=True))
    if mail is None:
        return None
    if mail.attempts >= MAX_ATTEMPTS:
        # Nobody was left to note how its last attempt ended: this mail may be what ends workers.
        mail.status, mail.failure = MailStatus.DEAD, "interrompu pendant l’envoi"
        return None
    if mail.attempts == 0 and not is_secret(mail.key):
        mail.key = f"{mail.key.rpartition('.')[0]}.{secrets.token_hex(_SECRET_BYTES)}"
    mail.claimed_until = now + LEASE
    mail.attempts += 1
    if queue is not None and queue.held_since is not None:
        holds.begin_probe(queue, now=now, until=mail.claimed_until)
    session.flush()
    return Claim(
        id=mail.id,
        template=mail.template,
        cause=mail.cause,
        key=mail.key,
        attempts=mail.attempts,
        until=mail.claimed_until,
        is_probe=queue is not None and queue.held_since is not None,
    )


def next_mails(session: Session, queue: MailQueue | None, *, now: datetime) -> Select[OutgoingMail] | None:
    """Select the mails of which one may be tried; None while the queue is held, between two tries."""
    if queue is None or queue.held_since is None or holds.may_probe(queue, now=now):
        return due_mails(now)
    if holds.may_probe_another(session, queue, now=now):
        return due_mails(now).where(OutgoingMail.id.not_in(queue.mails))
    return None


def is_secret(key: str) -> bool:
    """Whether nobody can guess this Message-ID: not that of a mail tried before this program could tell."""
    return _SECRET_KEY.fullmatch(key) is not None


def give_back(session: Session, held: Claim) -> None:
    """It hasn't left, and whoever holds it ends: another one may take it at once. This attempt counts for nothing."""
    _settle_unasked(session, held, attempts=held.attempts - 1)


def mark_sent(session: Session, held: Claim, *, now: datetime) -> bool:
    """Whoever holds it by now, and whatever was decided meanwhile: it has left, and a held queue is released.

    False where its person was erased since: nothing is to tell that it did.
    """
    if holds.has_refusals(session):
        _release(session, held.id, now=now)
    left = {"status": MailStatus.SENT, "sent_at": now, "failure": None, "claimed_until": None}
    noted = update(OutgoingMail).where(OutgoingMail.id == held.id).values(left).returning(OutgoingMail.id)
    return session.scalar(noted) is not None


def note_refusal(session: Session, held: Claim, refusal: Refusal, *, now: datetime) -> bool:
    """Note what the server answered; True if no mail can leave for now.

    An answer about the recipient ends this mail (`is_final`) or has it tried again later, held queue or not. One about
    us holds the queue, and this attempt counts for nothing; nor does it where a held queue learns nothing new.
    """
    queue = holds.lock_queue(session)
    is_held = queue.held_since is not None
    # An attempt that was answered so counts only once another mail has got through (_release).
    is_own = not is_held and held.attempts > 1 and _is_repeated(session, held, refusal)
    is_about_us = refusal.is_about_us and not is_own
    if is_about_us or (is_held and _says_nothing_new(session, queue, refusal)):
        return _hold(session, queue, held, refusal, now=now)
    _settle(session, held, **_refused(held, refusal.answer, is_final=refusal.is_final, now=now))
    if is_held and _stays_held(session, queue, held, refusal.answer, now=now):
        return True
    if not holds.add_answer(session, queue, held.id, refusal.answer):
        return False
    _take_back(session, queue.mails, now=now)
    holds.hold(queue, queue.mails, refusal.answer, now=now)
    return True


def _is_repeated(session: Session, held: Claim, refusal: Refusal) -> bool:
    """Whether this mail was answered the same the last time, and may be what is meant."""
    before = session.scalar(select(OutgoingMail.failure).where(OutgoingMail.id == held.id))
    return refusal.is_to_mail and before is not None and is_same_answer(before, refusal.answer)


def _hold(session: Session, queue: MailQueue, held: Claim, refusal: Refusal, *, now: datetime) -> bool:
    """Hold the queue, or go on holding it; False if it was held long enough for mails that may alone be the reason."""
    is_repeated = _is_repeated(session, held, refusal)
    # Behind those that wait: each asks in its turn.
    _settle(session, held, attempts=held.attempts - 1, due_at=now, failure=refusal.answer)
    if queue.held_since is None:
        holds.hold(queue, [held.id], refusal.answer, now=now)
        return True
    if not held.is_probe:
        return True
    holds.prolong(queue, held.id, refusal.answer, now=now)
    if not is_repeated or now - queue.held_since < _GIVEN_UP_AFTER or not holds.is_about_few(session, queue):
        return True
    for mail in _lock_mails(session, queue.mails, (MailStatus.PENDING,)):
        mail.status = MailStatus.DEAD
    holds.resume(queue)
    session.flush()
    return False


def _says_nothing_new(session: Session, queue: MailQueue, refusal: Refusal) -> bool:
    """Whether a held queue has to wait on: nothing answered, or what several recipients in a row were answered."""
    answers = holds.run_answers(session, queue)
    return refusal.is_interruption or any(is_same_answer(one, refusal.answer) for one in answers)


def _stays_held(session: Session, queue: MailQueue, held: Claim, answer: str, *, now: datetime) -> bool:
    """Whether the queue is held for the same answer to several others; otherwise it isn't any more.

    A server that refuses a recipient has taken the connection, our name, the password and the sender.
    """
    if not held.is_probe:
        return True
    queue.mails = [known for known in queue.mails if known != held.id]
    if holds.run_answers(session, queue):
        holds.put_off(queue, answer, now=now)
        return True
    holds.resume(queue)
    return False


def mark_dead(session: Session, held: Claim, reason: str) -> None:
    """End a mail that the server wasn't asked about."""
    _settle_unasked(session, held, status=MailStatus.DEAD, failure=reason)


def mark_pointless(session: Session, held: Claim) -> None:
    """What it was about has gone."""
    _settle_unasked(session, held, status=MailStatus.DROPPED, failure="sans objet")


def postpone(session: Session, held: Claim, reason: str, *, now: datetime) -> None:
    """Try a mail again later that the server wasn't asked about."""
    _settle_unasked(session, held, **_refused(held, reason, is_final=False, now=now))


def _refused(held: Claim, reason: str, *, is_final: bool, now: datetime) -> dict[str, object]:
    """What becomes of a mail: tried again later, and later still each time; after MAX_ATTEMPTS it is dead."""
    if is_final or held.attempts >= MAX_ATTEMPTS:
        return {"status": MailStatus.DEAD, "failure": reason}
    return {"due_at": now + delay_after(held.attempts), "failure": reason}


def delay_after(attempts: int) -> timedelta:
    """Return the delay, a quarter longer or shorter so that retries don't come in crowds."""
    return _mean_delay(attempts) * random.uniform(0.75, 1.25)  # noqa: S311  # no secret


def _mean_delay(attempts: int) -> timedelta:
    """1, 2, 4… minutes, six hours at most."""
    return min(_FIRST_DELAY * 2.0 ** (attempts - 1), _LONGEST_DELAY)


# How long a mail is tried that is refused each time.
_GIVEN_UP_AFTER = sum((_mean_delay(attempts) for attempts in range(1, MAX_ATTEMPTS)), timedelta())


def _settle_unasked(session: Session, held: Claim, **values: object) -> None:
    """Settle a mail without an answer of the server: if it was to probe a held queue, another one may at once."""
    _settle(session, held, **values)
    if held.is_probe:
        holds.give_probe_back(session)


def _settle(session: Session, held: Claim, **values: object) -> None:
    # Only what this worker still holds: after the lease another one may have taken it, or a person dropped it.
    is_held = (OutgoingMail.claimed_until == held.until, OutgoingMail.status == MailStatus.PENDING)
    session.execute(
        update(OutgoingMail).where(OutgoingMail.id == held.id, *is_held).values(claimed_until=None, **values)
    )


def _release(session: Session, sent_id: int, *, now: datetime) -> None:
    """Forget what was refused since a mail got through; those that were tried in vain meanwhile come last.

    That counts as an attempt of theirs, for it may have been about them: the same answer is theirs from now on.
    """
    queue = holds.lock_queue(session)
    tried = queue.mails if queue.held_since is not None else []
    for mail in _lock_mails(session, tried, (MailStatus.PENDING,)):
        if mail.id != sent_id and mail.claimed_until is None:
            mail.attempts += 1
            mail.due_at = now if mail.attempts == 1 else now + delay_after(mail.attempts)
            mail.status = MailStatus.DEAD if mail.attempts >= MAX_ATTEMPTS else MailStatus.PENDING
    holds.release(queue)
    session.flush()


def _take_back(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    """Have these tried again, for it seems that their refusal wasn't about them."""
    for mail in _lock_mails(session, ids, (MailStatus.PENDING, MailStatus.DEAD)):
        mail.status, mail.attempts = MailStatus.PENDING, max(mail.attempts - 1, 0)
        mail.due_at = mail.taken_back_at = now
    session.flush()


def _lock_mails(session: Session, ids: Sequence[int], statuses: Sequence[MailStatus]) -> Sequence[OutgoingMail]:
    chosen = select(OutgoingMail).where(OutgoingMail.id.in_(ids), OutgoingMail.status.in_(statuses))
    held = chosen.order_by(OutgoingMail.id).with_for_update().execution_options(populate_existing=True)
    return session.scalars(held).all()


def hold_back(session: Session, lead_id: int) -> None:
    """Have what is still to be sent to this lead wait: their address receives nothing."""
    _turn(session, lead_id, MailStatus.PENDING, MailStatus.WAITING)


def send_held_back(session: Session, lead_id: int) -> None:
    """Send what waits for this lead: their address may receive again."""
    _turn(session, lead_id, MailStatus.WAITING, MailStatus.PENDING)


def _turn(session: Session, lead_id: int, before: MailStatus, after: MailStatus) -> None:
    theirs = select(OutgoingMail).where(OutgoingMail.lead_id == lead_id, OutgoingMail.audience == Audience.LEAD)
    of_status = theirs.where(OutgoingMail.status == before).order_by(OutgoingMail.id).with_for_update()
    for mail in session.scalars(of_status.execution_options(populate_existing=True)):
        mail.status = after
    session.flush()


def retry(mail: OutgoingMail, *, now: datetime) -> None:
    """Send it after all, or at once. Raises MailAlreadySent."""
    _refuse_sent(mail)
    mail.status, mail.attempts, mail.due_at, mail.failure = MailStatus.PENDING, 0, now, None
    mail.sent_at = mail.taken_back_at = None


def drop(mail: OutgoingMail) -> None:
    """Never send it. Raises MailAlreadySent."""
    _refuse_sent(mail)
    mail.status, mail.failure = MailStatus.DROPPED, "abandonné à la main"


def _refuse_sent(mail: OutgoingMail) -> None:
    if mail.status is MailStatus.SENT:
        raise MailAlreadySent(mail.id)
