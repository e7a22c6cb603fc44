"""Whose turn it is to remove what has had its time: one process at a time, once a day. Callers commit."""

from datetime import datetime, time, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from ..formatters import PARIS
from ..leads.models import Lead
from ..school import paris_time
from .models import PurgeRun

# When in Paris the site is the quietest; clocks there skip or repeat the hour before.
_TURN = time(3)
# Without a sign of life for so long, whoever does it has died.
SILENCE = timedelta(seconds=60)


# Nobody has done it for so long: no worker runs, or it fails each time.
_LATE = timedelta(days=2)


class AlreadyRunning(Exception):
    """Somebody else is at it."""


class TakenOver(Exception):
    """Somebody else has gone on: nothing was heard for too long."""


def last_run(session: Session) -> PurgeRun | None:
    """The last one that came to its end."""
    ended = select(PurgeRun).where(PurgeRun.ended_at.is_not(None))
    return session.scalar(ended.order_by(PurgeRun.id.desc()).limit(1))


def is_late(session: Session, *, now: datetime) -> bool:
    """Whether somebody was here to be looked after, and it hasn't been done for two days."""
    last = last_run(session)
    since = last.begun_at if last else session.scalar(select(func.min(Lead.created_at)))
    return since is not None and since < now - _LATE


def is_turn(session: Session, *, now: datetime) -> bool:
    """Whether none has begun since the night's hour, or the one that has died on the way: a missed night is made up."""
    newest = _newest(session)
    return newest is None or (
        not _is_alive(newest, now=now) and (newest.ended_at is None or newest.begun_at < _turn(now))
    )


def begin(session: Session, *, now: datetime) -> int:
    """Note that it begins; the run's number. Raises AlreadyRunning."""
    if session.get_bind().dialect.name == "postgresql":
        # SQLite has one writer at a time anyway.
        session.execute(text("LOCK TABLE purge_runs IN EXCLUSIVE MODE"))
    newest = _newest(session)
    if newest is not None and _is_alive(newest, now=now):
        raise AlreadyRunning
    run = PurgeRun(begun_at=now, beat_at=now, removed={})
    session.add(run)
    session.flush()
    return run.id


def beat(session: Session, run_id: int, removed: dict[str, int], *, now: datetime, is_over: bool = False) -> None:
    """Show a sign of life, and what is gone by now. Raises TakenOver."""
    later = select(PurgeRun.id).where(PurgeRun.id > run_id)
    own = update(PurgeRun).where(PurgeRun.id == run_id, ~later.exists()).returning(PurgeRun.id)
    values = {"beat_at": now, "removed": removed, "ended_at": now if is_over else None}
    if session.scalar(own.values(values).execution_options(synchronize_session=False)) is None:
        raise TakenOver


def _newest(session: Session) -> PurgeRun | None:
    return session.scalar(select(PurgeRun).order_by(PurgeRun.id.desc()).limit(1))


def _is_alive(run: PurgeRun, *, now: datetime) -> bool:
    return run.ended_at is None and run.beat_at > now - SILENCE


def _turn(now: datetime) -> datetime:
    today = now.astimezone(PARIS).date()
    turn = paris_time(today, _TURN)
    return turn if turn <= now else paris_time(today - timedelta(days=1), _TURN)
