"""Purge what has expired: the rows that each retention rule covers, the date it counts from, and their removal.

Rows go a few at a time, each batch in a writing transaction of its own: a killed purge keeps what it has done, and the
next one finds the rest. Tables are named, not imported, as in personal_data.py.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Column, ColumnElement, Select, Table, delete, exists, func, select, update
from sqlalchemy.orm import Session

from ..db import Base, db, reading, writing
from ..leads.models import SubmissionStatus
from ..open_days.models import OVER, Registration, RegistrationState, Slot
from ..outbox.models import MailStatus
from . import runs
from .erasure import erase_leads, erase_submissions
from .retention import RETENTION, Rule

# What must be true of a row beside its age.
Condition = Callable[[Table, datetime], tuple[ColumnElement[bool], ...]]

# The lock under which one process at a time purges (exclusive.py).
LOCK = "purge"
# Rows that are looked up at once.
_LOOKUP = 5000
# Seconds left to everybody else after each transaction.
_PAUSE = 0.02
# Without a seat: they waited, or didn't answer an offer.
_NEVER_SEATED = (RegistrationState.WAITING, RegistrationState.OFFERED, RegistrationState.EXPIRED)


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """Rows of a table that a rule covers; `since` is the column, « table.column », from which its delay counts."""

    rule: Rule
    table: str
    since: str
    only: Condition = lambda _table, _now: ()

    @property
    def rows(self) -> Table:
        return Base.metadata.tables[self.table]

    def expired(self, now: datetime) -> Select[int]:
        """Select ids, oldest first."""
        return self._ids(now).where(self._since <= RETENTION[self.rule].delay.before(now)).order_by(self._since)

    def next_since(self, now: datetime) -> Select[datetime]:
        """Select the time from which the delay counts of what expires next."""
        later = self._ids(now).where(self._since > RETENTION[self.rule].delay.before(now))
        return later.with_only_columns(self._since).order_by(self._since).limit(1)

    @property
    def _since(self) -> Column[datetime]:
        table, _, column = self.since.partition(".")
        return Base.metadata.tables[table].c[column]

    def _ids(self, now: datetime) -> Select[int]:
        return select(self.rows.c.id).where(self._since.is_not(None), *self.only(self.rows, now))


def _has_no_booking(leads: Table, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Who is to come, or waits for a seat, is still in touch."""
    to_come = exists().where(
        Registration.lead_id == leads.c.id,
        Registration.slot_id == Slot.id,
        Registration.state.not_in(OVER),
        Slot.cancelled_at.is_(None),
        Slot.ends_at > now,
    )
    return (~to_come,)


def _never_seated(registrations: Table, _now: datetime) -> tuple[ColumnElement[bool], ...]:
    return registrations.c.slot_id == Slot.id, registrations.c.state.in_(_NEVER_SEATED)


def _held(status: SubmissionStatus) -> Condition:
    return lambda submissions, _now: (submissions.c.lead_id.is_(None), submissions.c.status == status)


def _is_not_pending(mails: Table, _now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (mails.c.status != MailStatus.PENDING,)


def _is_not_in_log(staff: Table, _now: datetime) -> tuple[ColumnElement[bool], ...]:
    log = Base.metadata.tables["audit_log"]
    return (~exists().where(log.c.staff_id == staff.c.id),)


# In this order: the log goes before whom it names.
EXPIRIES: tuple[Expiry, ...] = (
    Expiry(rule=Rule.LEADS, table="leads", since="leads.last_contact_at", only=_has_no_booking),
    Expiry(
        rule=Rule.QUARANTINED,
        table="submissions",
        since="submissions.submitted_at",
        only=_held(SubmissionStatus.QUARANTINED),
    ),
    Expiry(rule=Rule.SPAM, table="submissions", since="submissions.submitted_at", only=_held(SubmissionStatus.SPAM)),
    Expiry(rule=Rule.WAITING, table="registrations", since="slots.ends_at", only=_never_seated),
    Expiry(rule=Rule.ALERTS, table="open_day_alerts", since="open_day_alerts.created_at"),
    Expiry(rule=Rule.MAILS, table="outgoing_mails", since="outgoing_mails.decided_at", only=_is_not_pending),
    Expiry(rule=Rule.ACCESS, table="access_requests", since="access_requests.asked_at"),
    Expiry(rule=Rule.REQUESTS, table="privacy_requests", since="privacy_requests.done_at"),
    Expiry(rule=Rule.SUPPRESSION, table="erased_addresses", since="erased_addresses.erased_at"),
    Expiry(rule=Rule.EXPORTS, table="exports", since="exports.exported_at"),
    Expiry(rule=Rule.SESSIONS, table="staff_sessions", since="staff_sessions.begun_at"),
    Expiry(rule=Rule.ATTEMPTS, table="sign_in_attempts", since="sign_in_attempts.tried_at"),
    Expiry(rule=Rule.AUDIT, table="audit_log", since="audit_log.at"),
    Expiry(rule=Rule.STAFF, table="staff", since="staff.disabled_at", only=_is_not_in_log),
)


@dataclass(frozen=True, kw_only=True)
class ExpiredCount:
    """How much has expired by a rule, and when the next of it will; None if nothing kept will."""

    rule: Rule
    count: int
    next_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Purge:
    """How to purge; `is_stopping` is asked between batches.

    A `batch` of rows is one transaction, for which visitors who send a form may have to wait.
    """

    mails: Path
    clock: Callable[[], datetime]
    is_stopping: Callable[[], bool] = lambda: False
    batch: int = 100


@dataclass(frozen=True, kw_only=True)
class Removed:
    """How many rows or files were removed by a rule in one step."""

    rule: Rule
    count: int


def is_turn(purge: Purge) -> bool:
    with reading():
        return runs.is_turn(db.session(), now=purge.clock())


def run(purge: Purge) -> Generator[Removed]:
    """Yield each step once it is committed. Needs an application context, and LOCK."""
    # Counted from one moment, so that it comes to an end.
    now = purge.clock()
    with writing():
        run_id = runs.begin(db.session(), now=now)
    removed: dict[str, int] = {}
    for expiry in EXPIRIES:
        for count in _remove_expired(expiry, run_id, removed, purge, now=now):
            yield Removed(rule=expiry.rule, count=count)
    if files := find_expired_files(purge.mails, now=now):
        for path in files:
            path.unlink(missing_ok=True)
        removed[Rule.MAIL_FILES] = len(files)
        yield Removed(rule=Rule.MAIL_FILES, count=len(files))
    if not purge.is_stopping():
        with writing():
            runs.note_progress(db.session(), run_id, removed, ended_at=purge.clock())


def count_expired(session: Session, *, now: datetime) -> list[ExpiredCount]:
    return [_count(session, expiry, now=now) for expiry in EXPIRIES]


def find_expired(session: Session, expiry: Expiry, *, limit: int, now: datetime) -> Sequence[int]:
    return session.scalars(expiry.expired(now).limit(limit)).all()


def find_expired_files(mails: Path, *, now: datetime) -> list[Path]:
    """Find mails that were written to files, and those begun and never finished."""
    last = RETENTION[Rule.MAIL_FILES].delay.before(now).timestamp()
    paths = [*mails.glob("*.eml"), *mails.glob(".*.tmp")]
    return [path for path in paths if _written_at(path) <= last]


def lock_expired(session: Session, expiry: Expiry, ids: Sequence[int], *, now: datetime) -> Sequence[int]:
    """Lock those of them that are still expired, and return their ids."""
    # In one order for everybody.
    still = expiry.expired(now).where(expiry.rows.c.id.in_(ids)).order_by(None).order_by(expiry.rows.c.id)
    # Who holds a slot may decide mails about a lead meanwhile (FOR NO KEY UPDATE lets references to the row through).
    return session.scalars(still.with_for_update(of=expiry.rows, key_share=True)).all()


def remove(session: Session, expiry: Expiry, ids: Sequence[int], *, now: datetime) -> None:
    """Remove these rows: a person with all that is theirs, others with what points to them. Callers commit."""
    match expiry.rule:
        case Rule.LEADS:
            erase_leads(session, ids, now=now)
        case Rule.QUARANTINED | Rule.SPAM:
            erase_submissions(session, ids, now=now)
        case _:
            _remove_references(session, expiry.rows, ids)
            session.execute(delete(expiry.rows).where(expiry.rows.c.id.in_(ids)))


def _remove_expired(
    expiry: Expiry, run_id: int, removed: dict[str, int], purge: Purge, *, now: datetime
) -> Iterator[int]:
    while not purge.is_stopping():
        # Reading takes no place in the writers' queue.
        with reading():
            found = find_expired(db.session(), expiry, limit=_LOOKUP, now=now)
        if not found:
            return
        for start in range(0, len(found), purge.batch):
            if purge.is_stopping():
                return
            with writing():
                ids = lock_expired(db.session(), expiry, found[start : start + purge.batch], now=now)
                remove(db.session(), expiry, ids, now=now)
                removed[expiry.rule] = removed.get(expiry.rule, 0) + len(ids)
                runs.note_progress(db.session(), run_id, removed)
            yield len(ids)
            time.sleep(_PAUSE)


def _count(session: Session, expiry: Expiry, *, now: datetime) -> ExpiredCount:
    expired = expiry.expired(now).order_by(None).subquery()
    next_since = session.scalar(expiry.next_since(now))
    return ExpiredCount(
        rule=expiry.rule,
        count=session.execute(select(func.count()).select_from(expired)).scalar_one(),
        next_at=RETENTION[expiry.rule].delay.after(next_since) if next_since else None,
    )


def _remove_references(session: Session, rows: Table, ids: Sequence[int]) -> None:
    """Empty what points to these rows where it may be empty (a brochure's author), delete what belongs to them."""
    keys = [key for table in Base.metadata.sorted_tables for key in table.foreign_keys if key.column.table is rows]
    for key in keys:
        theirs = key.parent.in_(ids)
        if key.parent.nullable and key.ondelete is None:
            session.execute(update(key.parent.table).where(theirs).values({key.parent.name: None}))
        else:
            session.execute(delete(key.parent.table).where(theirs))


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        # Somebody else has removed it: it counts as new.
        return float("inf")
