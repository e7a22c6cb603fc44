"""Taking submissions out of quarantine, with all that was held back. Callers commit."""

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .applications import services as applications
from .brochures import services as brochures
from .leads import services as leads
from .leads.consents import ask_to_confirm
from .leads.models import FormName, Submission, SubmissionStatus
from .leads.normalise import email_key
from .leads.notifications import notify
from .leads.receipts import Receipt
from .leads.services import NotQuarantined, NotSpam
from .open_days import services as open_days

_FOLLOW_UPS = {
    FormName.BROCHURE: brochures.follow_up,
    FormName.OPEN_DAY: open_days.follow_up_late,
    FormName.APPLICATION: applications.follow_up,
}

_HELD = SubmissionStatus.QUARANTINED

Judge = Callable[[Submission], None]


def release_all(session: Session, ids: Iterable[int], *, notify_every: str, now: datetime, done: Judge) -> int:
    """Let each that is still held count, run what the quarantine held back, `done` with it; how many those are.

    `notify_every` is how often admissions are told.
    """
    held = [submission for submission in _locked(session, set(ids)) if submission.status is _HELD]
    # All leads before any slot, in one order: nobody who locks a lead, then a slot, ever crosses this.
    for submission in sorted(held, key=lambda one: email_key(one.email)):
        leads.release(session, submission)
    for submission in held:
        _run(session, submission, notify_every=notify_every, now=now)
        done(submission)
    return len(held)


def _run(session: Session, submission: Submission, *, notify_every: str, now: datetime) -> None:
    receipt = Receipt.of(submission)
    ask_to_confirm(session, receipt, now=now)
    notify(session, receipt, every=notify_every, now=now)
    _FOLLOW_UPS[submission.form](session, receipt, now=now)


def judge_all(session: Session, ids: Iterable[int], judge: Judge) -> int:
    """Do the same with each of these submissions; how many of them it was done with.

    Those that somebody has judged meanwhile are left as they are.
    """
    done = 0
    for submission in _locked(session, set(ids)):
        try:
            judge(submission)
        except (NotQuarantined, NotSpam):
            continue
        done += 1
    return done


def _locked(session: Session, ids: set[int]) -> list[Submission]:
    """As they stand now, each judged by one person at a time; those of one slot together.

    In one order for everybody, for judging locks slots in turn.
    """
    chosen = select(Submission).where(Submission.id.in_(ids)).order_by(Submission.id)
    found = session.scalars(chosen.with_for_update().execution_options(populate_existing=True)).all()
    return sorted(found, key=lambda submission: (submission.answers.get("slot_id") or 0, submission.id))
