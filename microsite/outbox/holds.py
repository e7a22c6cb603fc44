"""The queue is held when a mail server's refusal is about us; one mail at a time then asks whether that is over.

A refusal is about us by what it says (answers.py), or because it came for several recipients in a row. The state is one
row, for all processes. Who changes the row and mails locks the row first. Callers commit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..db import insert_into
from ..formatters import format_moment
from .answers import is_same_answer
from .models import QUEUE, Audience, MailQueue, MailStatus, OutgoingMail

# Recipients in a row that get the same answer before it counts as one about us.
SAME_ANSWERS = 3
# From each failed try to the next one; the last one repeats.
PROBE_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60))
# As long as fewer than SAME_ANSWERS recipients were tried, one that wasn't needn't wait longer than this: the refusal
# may be about those few mails alone, and theirs are all that there is in the queue. No shorter than a lease.
_OTHERS_AFTER = timedelta(minutes=5)
# Ids kept of a row of answers, beside the first SAME_ANSWERS.
_KEPT = 30


def find_hold(session: Session) -> MailQueue | None:
    """Return the queue's state while it is held."""
    return session.scalar(select(MailQueue).where(MailQueue.name == QUEUE, MailQueue.held_since.is_not(None)))


def hold_sentences(hold: MailQueue) -> str:
    """Say in French why mails wait, for who operates the site."""
    since, answer, probe_at = cast(datetime, hold.held_since), hold.answer, cast(datetime, hold.probe_at)
    begun, again = (format_moment(moment) for moment in (since, probe_at))
    return f"Envoi suspendu depuis le {begun}, réponse du serveur : « {answer} ». Prochain essai le {again}."


def lock_queue(session: Session) -> MailQueue:
    """Return the state, made where it is missing, changed by nobody else until the transaction ends."""
    row = select(MailQueue).where(MailQueue.name == QUEUE).with_for_update()
    row = row.execution_options(populate_existing=True)
    queue = session.scalar(row)
    if queue is None:
        made = insert_into(session, MailQueue).values(name=QUEUE, mails=[], probes=0)
        session.execute(made.on_conflict_do_nothing(index_elements=["name"]))
        queue = session.scalars(row).one()
    return queue


def has_refusals(session: Session) -> bool:
    """Whether a refusal is noted that the next mail which gets through takes back."""
    noted = select(MailQueue.id).where(MailQueue.name == QUEUE, MailQueue.answer.is_not(None))
    return session.scalar(noted) is not None


def may_probe(queue: MailQueue, *, now: datetime) -> bool:
    return queue.probe_at is None or queue.probe_at <= now


def may_probe_another(session: Session, queue: MailQueue, *, now: datetime) -> bool:
    """Whether a mail that hasn't been tried since the queue is held may be."""
    is_time = queue.probed_at is None or queue.probed_at + _OTHERS_AFTER <= now
    return is_time and is_about_few(session, queue)


def is_about_few(session: Session, queue: MailQueue) -> bool:
    """Whether so few recipients were tried in vain that the refusal may be about them alone."""
    return count_recipients(session, queue.mails) < SAME_ANSWERS


def begin_probe(queue: MailQueue, *, now: datetime, until: datetime) -> None:
    """Let no other worker try one until then, should this one never tell how it ended."""
    queue.probed_at, queue.probe_at = now, until


def hold(queue: MailQueue, mails: Sequence[int], answer: str, *, now: datetime) -> None:
    queue.answer, queue.mails, queue.held_since = answer, list(mails), now
    _probe_later(queue, now=now)


def prolong(queue: MailQueue, mail_id: int, answer: str, *, now: datetime) -> None:
    """Note that another try failed, and that this mail is still to be sent."""
    queue.mails = _with(queue.mails, mail_id)
    put_off(queue, answer, now=now)


def put_off(queue: MailQueue, answer: str, *, now: datetime) -> None:
    """Wait longer for the next try; `answer` is what staff read."""
    queue.answer, queue.probes = answer, queue.probes + 1
    _probe_later(queue, now=now)


def resume(queue: MailQueue) -> None:
    """Send again: a recipient was refused, so the server takes our mails as far as that.

    No mail has got through yet: should the queue be held again, the delay goes on growing.
    """
    queue.answer, queue.mails, queue.held_since = None, [], None
    queue.probed_at, queue.probe_at, queue.probes = None, None, queue.probes + 1


def release(queue: MailQueue) -> None:
    """Forget whatever was refused: a mail got through."""
    resume(queue)
    queue.probes = 0


def run_answers(session: Session, queue: MailQueue) -> Sequence[str]:
    """Return the answers of the mails that still wait since several recipients in a row got the same; else none.

    These mails were taken back at the moment when the queue was held (services.py).
    """
    of_run = (OutgoingMail.id.in_(queue.mails), OutgoingMail.taken_back_at == queue.held_since)
    waiting = select(OutgoingMail.failure).where(*of_run, OutgoingMail.status == MailStatus.PENDING)
    return [failure for failure in session.scalars(waiting) if failure]


def try_now(session: Session, *, now: datetime) -> bool:
    """Have a held queue tried at once; False if it isn't held."""
    held = update(MailQueue).where(MailQueue.name == QUEUE, MailQueue.held_since.is_not(None)).values(probe_at=now)
    return session.scalar(held.returning(MailQueue.id)) is not None


def give_probe_back(session: Session) -> None:
    """Let the next mail be tried: this one came to an end without asking the server."""
    held = update(MailQueue).where(MailQueue.name == QUEUE, MailQueue.held_since.is_not(None))
    session.execute(held.values(probe_at=MailQueue.probed_at))


def add_answer(session: Session, queue: MailQueue, mail_id: int, answer: str) -> bool:
    """Note an answer about a recipient; True if it is the same for SAME_ANSWERS of them in a row.

    Those who had it all before, and were tried once more since, don't count alone: it is about them, it seems.
    """
    is_same = queue.answer is not None and is_same_answer(queue.answer, answer)
    queue.answer, queue.mails = answer, _with(queue.mails if is_same else [], mail_id)
    is_new = select(OutgoingMail.id).where(OutgoingMail.id.in_(queue.mails), OutgoingMail.taken_back_at.is_(None))
    return count_recipients(session, queue.mails) >= SAME_ANSWERS and session.scalar(is_new.limit(1)) is not None


def count_recipients(session: Session, mails: Sequence[int]) -> int:
    """How many people these mails are for; admissions, who are one, count as one."""
    chosen = select(OutgoingMail.audience, OutgoingMail.lead_id).where(OutgoingMail.id.in_(mails))
    rows = session.execute(chosen).all()
    return len({row.lead_id if row.audience is Audience.LEAD else None for row in rows})


def _with(mails: Sequence[int], mail_id: int) -> list[int]:
    """The first ones stay: the queue may be held for the answer that they got."""
    known = [*mails] if mail_id in mails else [*mails, mail_id]
    return known[:SAME_ANSWERS] + known[SAME_ANSWERS:][-_KEPT:]


def _probe_later(queue: MailQueue, *, now: datetime) -> None:
    delay = PROBE_DELAYS[min(queue.probes, len(PROBE_DELAYS) - 1)]
    queue.probed_at, queue.probe_at = now, now + delay
