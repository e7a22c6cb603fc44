"""When rows were last purged, and whether a purge is due. Callers commit."""

from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..formatters import PARIS
from ..leads.models import Lead
from ..school import paris_time
from .models import PurgeRun

# When in Paris the site is the quietest; clocks there skip or repeat the hour before.
_HOUR = time(3)
# Nobody has done it for so long: no worker runs, or it fails each time.
_LATE = timedelta(days=2)


def last_run(session: Session) -> PurgeRun | None:
    """Find the last run that was completed."""
    ended = select(PurgeRun).where(PurgeRun.ended_at.is_not(None))
    return session.scalar(ended.order_by(PurgeRun.id.desc()).limit(1))


def is_late(session: Session, *, now: datetime) -> bool:
    """Whether leads exist and no purge has begun for two days."""
    last = last_run(session)
    since = last.begun_at if last else session.scalar(select(func.min(Lead.created_at)))
    return since is not None and since < now - _LATE


def is_turn(session: Session, *, now: datetime) -> bool:
    """Whether no purge has begun since the night's hour, or the last one was stopped on the way.

    The caller holds the lock: no other process is purging.
    """
    newest = session.scalar(select(PurgeRun).order_by(PurgeRun.id.desc()).limit(1))
    return newest is None or newest.ended_at is None or newest.begun_at < _last_hour(now)


def begin(session: Session, *, now: datetime) -> int:
    """Record a new run and return its id."""
    run = PurgeRun(begun_at=now, removed={})
    session.add(run)
    session.flush()
    return run.id


def note_progress(session: Session, run_id: int, removed: dict[str, int], *, ended_at: datetime | None = None) -> None:
    run = session.get_one(PurgeRun, run_id)
    run.removed, run.ended_at = dict(removed), ended_at


def _last_hour(now: datetime) -> datetime:
    today = now.astimezone(PARIS).date()
    hour = paris_time(today, _HOUR)
    return hour if hour <= now else paris_time(today - timedelta(days=1), _HOUR)
