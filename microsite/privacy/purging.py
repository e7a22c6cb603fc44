"""Removing what has had its time, a few rows at a time, each handful in a writing transaction of its own.

Whoever dies on the way has removed what they had: the next run finds the rest still due.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..db import db, reading, writing
from . import runs
from .purge import SWEEPS, Sweep, find_due, lock_due
from .removal import remove
from .retention import RETENTION, Rule

# Looked up at once.
_LOT = 5000
# Seconds left to everybody else after each transaction.
_REST = 0.02


@dataclass(frozen=True, kw_only=True)
class Purge:
    """With what it is done; `is_stopping` is asked between batches.

    Whoever sends a form meanwhile waits for one `batch` of rows, which is a transaction.
    """

    mails: Path
    clock: Callable[[], datetime]
    is_stopping: Callable[[], bool] = lambda: False
    batch: int = 100


@dataclass(frozen=True, kw_only=True)
class Gone:
    """So many are gone by this rule, in this step."""

    rule: Rule
    count: int


def is_turn(purge: Purge) -> bool:
    with reading():
        return runs.is_turn(db.session(), now=purge.clock())


def run(purge: Purge) -> Generator[Gone]:
    """Each step, as soon as it is committed. Raises AlreadyRunning, TakenOver; needs an application context."""
    # Counted from one moment, so that it comes to an end.
    now = purge.clock()
    with writing():
        run_id = runs.begin(db.session(), now=now)
    removed: dict[str, int] = {}
    for sweep in SWEEPS:
        for count in _sweep(sweep, run_id, removed, purge, now=now):
            yield Gone(rule=sweep.rule, count=count)
    if files := _remove_files(purge, now=now):
        removed[Rule.MAIL_FILES] = files
        yield Gone(rule=Rule.MAIL_FILES, count=files)
    if not purge.is_stopping():
        with writing():
            runs.beat(db.session(), run_id, removed, now=purge.clock(), is_over=True)


def old_files(mails: Path, *, now: datetime) -> list[Path]:
    """Mails that were written to files, and those begun and never finished."""
    last = RETENTION[Rule.MAIL_FILES].delay.before(now).timestamp()
    paths = [*mails.glob("*.eml"), *mails.glob(".*.tmp")]
    return [path for path in paths if _written_at(path) <= last]


def _remove_files(purge: Purge, *, now: datetime) -> int:
    paths = old_files(purge.mails, now=now)
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        # Somebody else has removed it: it counts as new.
        return float("inf")


def _sweep(sweep: Sweep, run_id: int, removed: dict[str, int], purge: Purge, *, now: datetime) -> Iterator[int]:
    while not purge.is_stopping():
        # Looking takes no place in the writers' line.
        with reading():
            lot = find_due(db.session(), sweep, limit=_LOT, now=now)
        if not lot:
            return
        for start in range(0, len(lot), purge.batch):
            if purge.is_stopping():
                return
            with writing():
                ids = lock_due(db.session(), sweep, lot[start : start + purge.batch], now=now)
                remove(db.session(), sweep, ids, now=now)
                removed[sweep.rule] = removed.get(sweep.rule, 0) + len(ids)
                runs.beat(db.session(), run_id, removed, now=purge.clock())
            yield len(ids)
            time.sleep(_REST)
