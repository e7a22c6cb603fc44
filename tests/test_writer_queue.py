"""The writers' line: one at a time over threads and processes, a bounded wait, and nothing left behind."""

import errno
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from microsite.config import PROJECT_ROOT
from microsite.db import BUSY_TIMEOUT, db
from microsite.sqlite_engine import sqlite
from microsite.writer_queue import QueueTimeout, Turn, WriterQueue

from .trouble import locked

_HOLD = """
import sys, time
from pathlib import Path
from microsite.sqlite_engine import sqlite
from microsite.writer_queue import WriterQueue
WriterQueue(Path(sys.argv[1])).enter(patience=1)
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def _held_by_another_process(path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], cwd=PROJECT_ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_one_writer_at_a_time_among_threads(tmp_path: Path) -> None:
    queue = WriterQueue(tmp_path / "queue")
    inside: list[Turn] = []
    most = 0

    def write() -> None:
        nonlocal most
        for _ in range(20):
            turn = queue.enter(patience=10)
            inside.append(turn)
            most = max(most, len(inside))
            time.sleep(0)
            inside.remove(turn)
            turn.end()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_wait_is_bounded_and_the_line_goes_on_afterwards(tmp_path: Path) -> None:
    queue = WriterQueue(tmp_path / "queue")
    turn = queue.enter(patience=0.1)

    with pytest.raises(QueueTimeout):
        queue.enter(patience=0.1)

    turn.end()
    queue.enter(patience=0.1).end()


def test_another_process_is_waited_for_and_its_death_frees_the_line(tmp_path: Path) -> None:
    path = tmp_path / "queue"
    with _held_by_another_process(path) as holder:
        with pytest.raises(QueueTimeout):
            WriterQueue(path).enter(patience=0.1)

        holder.kill()
        holder.wait()
        queue = WriterQueue(path)
        queue.enter(patience=5).end()


def test_lock_that_fails_is_told_to_one_writer_and_the_line_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ENOLCK does on some network disks, which no disk of a test machine gives."""

    def fail(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    queue = WriterQueue(tmp_path / "queue")
    with monkeypatch.context() as patch:
        patch.setattr("fcntl.flock", fail)
        with pytest.raises(OSError, match="No locks available"):
            queue.enter(patience=5)

    queue.enter(patience=5).end()


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_transaction_leaves_the_line_however_it_ends(app: Flask) -> None:
    with app.app_context():
        queue = WriterQueue(Path(f"{db.engine.url.database}-queue"))
        for end in (db.session.commit, db.session.rollback, db.session.remove):
            db.session.execute(text("SELECT 1"))
            with pytest.raises(QueueTimeout):
                queue.enter(patience=0.2)

            end()

            queue.enter(patience=0.2).end()


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_line_that_does_not_move_is_told_as_a_locked_database(app: Flask) -> None:
    with app.app_context(), _held_by_another_process(Path(f"{db.engine.url.database}-queue")):
        with pytest.raises(OperationalError, match="writers' queue: QueueTimeout"):
            db.session.execute(text("SELECT 1"))
        db.session.rollback()


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_patience_spent_in_the_line_is_not_spent_again_on_the_lock(app: Flask) -> None:
    with app.app_context():
        path = Path(str(db.engine.url.database))
        with locked(path.parent):
            turn = WriterQueue(Path(f"{path}-queue")).enter(patience=1)
            others = threading.Timer(0.9 * BUSY_TIMEOUT, _end_and_wait_for_the_lock, [turn, path])
            others.start()
            with pytest.raises(OperationalError, match="database is locked"):
                db.session.execute(text("SELECT 1"))
            assert others.is_alive(), "who waits with all their patience from when the turn ended waits still"
        others.join()
        db.session.rollback()
        db.session.execute(text("SELECT 1"))


def _end_and_wait_for_the_lock(turn: Turn, path: Path) -> None:
    turn.end()
    other = sqlite.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT)
    with closing(other) as connection, suppress(sqlite.OperationalError):
        connection.execute("BEGIN IMMEDIATE")
