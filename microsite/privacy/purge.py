"""What has had its time: for each delay of retention.py, the rows that it is about, and from when it counts.

Tables are named, not imported, as in personal_data.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Select, Table, exists, func, select
from sqlalchemy.orm import Session

from ..db import Base
from ..leads.models import SubmissionStatus
from ..open_days.models import OVER, Registration, RegistrationState, Slot
from ..outbox.models import MailStatus
from .retention import RETENTION, Rule

# What else must be true of a row, beside its age.
Condition = Callable[[Table, datetime], tuple[ColumnElement[bool], ...]]

# Without a seat: they waited, or didn't answer an offer.
_NEVER_SEATED = (RegistrationState.WAITING, RegistrationState.OFFERED, RegistrationState.EXPIRED)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Rows of a table; `since` is the column, « table.column », from whose time the delay counts."""

    rule: Rule
    table: str
    since: str
    only: Condition = lambda _table, _now: ()

    @property
    def rows(self) -> Table:
        return Base.metadata.tables[self.table]

    def due(self, now: datetime) -> Select[int]:
        """Ids, oldest first."""
        return self._ids(now).where(self._clock <= RETENTION[self.rule].delay.before(now)).order_by(self._clock)

    def next_after(self, now: datetime) -> Select[datetime]:
        """The time from which the delay counts of what will be due next."""
        later = self._ids(now).where(self._clock > RETENTION[self.rule].delay.before(now))
        return later.with_only_columns(self._clock).order_by(self._clock).limit(1)

    @property
    def _clock(self) -> Column[datetime]:
        table, _, column = self.since.partition(".")
        return Base.metadata.tables[table].c[column]

    def _ids(self, now: datetime) -> Select[int]:
        return select(self.rows.c.id).where(self._clock.is_not(None), *self.only(self.rows, now))


def _expects_nobody(leads: Table, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Whoever is to come, or waits for a seat, is still in touch."""
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


def _is_over(mails: Table, _now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (mails.c.status != MailStatus.PENDING,)


def _is_prepared(exports: Table, _now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (exports.c.state.in_(("failed", "removed")),)


def _is_unnamed(staff: Table, _now: datetime) -> tuple[ColumnElement[bool], ...]:
    log = Base.metadata.tables["audit_log"]
    return (~exists().where(log.c.staff_id == staff.c.id),)


# In this order: the log goes before whom it names.
SWEEPS: tuple[Sweep, ...] = (
    Sweep(rule=Rule.LEADS, table="leads", since="leads.last_contact_at", only=_expects_nobody),
    Sweep(
        rule=Rule.QUARANTINED,
        table="submissions",
        since="submissions.submitted_at",
        only=_held(SubmissionStatus.QUARANTINED),
    ),
    Sweep(rule=Rule.SPAM, table="submissions", since="submissions.submitted_at", only=_held(SubmissionStatus.SPAM)),
    Sweep(rule=Rule.WAITING, table="registrations", since="slots.ends_at", only=_never_seated),
    Sweep(rule=Rule.ALERTS, table="open_day_alerts", since="open_day_alerts.created_at"),
    Sweep(rule=Rule.MAILS, table="outgoing_mails", since="outgoing_mails.decided_at", only=_is_over),
    Sweep(rule=Rule.ACCESS, table="access_requests", since="access_requests.asked_at"),
    Sweep(rule=Rule.REQUESTS, table="privacy_requests", since="privacy_requests.done_at"),
    Sweep(rule=Rule.SUPPRESSION, table="erased_addresses", since="erased_addresses.erased_at"),
    Sweep(rule=Rule.EXPORTS, table="exports", since="exports.asked_at", only=_is_prepared),
    Sweep(rule=Rule.SESSIONS, table="staff_sessions", since="staff_sessions.begun_at"),
    Sweep(rule=Rule.ATTEMPTS, table="sign_in_attempts", since="sign_in_attempts.tried_at"),
    Sweep(rule=Rule.AUDIT, table="audit_log", since="audit_log.at"),
    Sweep(rule=Rule.STAFF, table="staff", since="staff.disabled_at", only=_is_unnamed),
)


@dataclass(frozen=True, kw_only=True)
class Due:
    """How much is due by a rule, and when the next of it will be; None: nothing is kept that will."""

    rule: Rule
    count: int
    next_at: datetime | None


def count_due(session: Session, *, now: datetime) -> list[Due]:
    return [_count(session, sweep, now=now) for sweep in SWEEPS]


def find_due(session: Session, sweep: Sweep, *, limit: int, now: datetime) -> Sequence[int]:
    return session.scalars(sweep.due(now).limit(limit)).all()


def lock_due(session: Session, sweep: Sweep, ids: Sequence[int], *, now: datetime) -> Sequence[int]:
    """Those of them that are due still, which nobody else changes until the transaction ends."""
    # In one order for everybody.
    still = sweep.due(now).where(sweep.rows.c.id.in_(ids)).order_by(None).order_by(sweep.rows.c.id)
    # Who holds a slot may decide mails about a lead meanwhile (FOR NO KEY UPDATE lets references to the row through).
    return session.scalars(still.with_for_update(of=sweep.rows, key_share=True)).all()


def _count(session: Session, sweep: Sweep, *, now: datetime) -> Due:
    due = sweep.due(now).order_by(None).subquery()
    next_since = session.scalar(sweep.next_after(now))
    return Due(
        rule=sweep.rule,
        count=session.execute(select(func.count()).select_from(due)).scalar_one(),
        next_at=RETENTION[sweep.rule].delay.after(next_since) if next_since else None,
    )
