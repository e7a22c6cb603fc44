"""Writers of one process that share a commit: as if each were alone, answered after it, failing alone."""

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import Engine, create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from microsite.db import BUSY_TIMEOUT, db, keep
from microsite.group_commit import GroupCommit, _Piece
from microsite.open_days.models import OpenDay, Slot
from microsite.sqlite_engine import prepare, sqlite, unavailable
from microsite.writer_queue import WriterQueue

from .waiting import wait_until

Work = Callable[[Session], Any]
NOW = datetime(2027, 1, 4, tzinfo=UTC)


@pytest.fixture
def engine_name() -> str:
    """PostgreSQL's writers don't wait for each other."""
    return "sqlite"


@pytest.fixture
def group(app: Flask) -> Iterator[GroupCommit]:
    with app.app_context():
        yield GroupCommit(db.engine)


@contextmanager
def _line_held(app: Flask) -> Iterator[None]:
    """By a writer of another process, as it were."""
    turn = WriterQueue(Path(app.instance_path) / "microsite.sqlite3-queue").enter(patience=BUSY_TIMEOUT)
    try:
        yield
    finally:
        turn.end()


def _at_once(app: Flask, group: GroupCommit, works: list[Work]) -> list[Any]:
    """What each of them gives or raises, begun together: they wait for the same writer."""
    told: dict[int, Any] = {}

    def run(number: int) -> None:
        try:
            told[number] = group.run(works[number], patience=BUSY_TIMEOUT)
        except Exception as error:
            told[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    with _line_held(app):
        for number, thread in enumerate(threads):
            thread.start()
            # In this order: the first is in the hands of the group's own thread, the others in its line.
            if number == 0:
                _wait_for_waiter(app)
            else:
                wait_until(lambda number=number: group._line.waiting.qsize() == number, f"{number} wait in the line")  # type: ignore[misc]
    for thread in threads:
        thread.join()
    return [told[number] for number in range(len(works))]


def _wait_for_waiter(app: Flask) -> None:
    """Until a thread waits for the file that another one has locked, as the kernel tells (proc_locks(5))."""
    queue = Path(app.instance_path) / "microsite.sqlite3-queue"

    def is_awaited() -> bool:
        waiting = [line for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
        return any(line.split()[-3].endswith(f":{queue.stat().st_ino}") for line in waiting)

    wait_until(is_awaited, "a writer waits for its turn")


def _adding(title: str) -> Work:
    def add(session: Session) -> str:
        session.add(OpenDay(title=title, place="Paris", created_at=NOW))
        session.flush()
        return title

    return add


def _titles() -> list[str]:
    with db.session.begin():
        return list(db.session.scalars(select(OpenDay.title).order_by(OpenDay.id)))


@contextmanager
def _commits() -> Iterator[list[None]]:
    seen: list[None] = []

    def note(_connection: object) -> None:
        seen.append(None)

    event.listen(db.engine, "commit", note)
    yield seen
    event.remove(db.engine, "commit", note)


def test_those_who_come_together_share_a_commit_in_the_order_of_coming(app: Flask, group: GroupCommit) -> None:
    with _commits() as commits:
        told = _at_once(app, group, [_adding(title) for title in "abcd"])

    assert told == ["a", "b", "c", "d"] == _titles()
    assert len(commits) == 1


def test_each_sees_what_those_before_have_written(app: Flask, group: GroupCommit) -> None:
    def count(session: Session) -> int:
        return session.scalars(select(func.count(OpenDay.id))).one()

    assert _at_once(app, group, [_adding("a"), count, _adding("b"), count])[1::2] == [1, 2]


def test_nobody_is_answered_before_the_commit(group: GroupCommit) -> None:
    kept = group.run(_adding("a"), patience=BUSY_TIMEOUT)

    assert [kept] == _titles()


def test_one_that_fails_fails_alone(app: Flask, group: GroupCommit) -> None:
    def fail(session: Session) -> None:
        _adding("lost")(session)
        raise ValueError("no")

    told = _at_once(app, group, [_adding("a"), fail, _adding("b")])

    assert [told[0], repr(told[1]), told[2]] == ["a", "ValueError('no')", "b"]
    assert _titles() == ["a", "b"]


def test_what_one_leaves_to_be_written_is_not_another_one_s_fault(app: Flask, group: GroupCommit) -> None:
    def leave(session: Session) -> None:
        session.add(Slot(open_day_id=99, starts_at=NOW, ends_at=NOW + timedelta(hours=1), capacity=1))

    told = _at_once(app, group, [_adding("a"), leave, _adding("b")])

    assert [told[0], type(told[1]), told[2]] == ["a", IntegrityError, "b"]
    assert _titles() == ["a", "b"]


def test_who_has_begun_stands_in_no_line_again(app: Flask, group: GroupCommit) -> None:
    queue = WriterQueue(Path(app.instance_path) / "microsite.sqlite3-queue")
    order: list[str] = []
    others: list[threading.Thread] = []

    def write_elsewhere() -> None:
        turn = queue.enter(patience=BUSY_TIMEOUT)
        order.append("another process")
        turn.end()

    def fail(_session: Session) -> None:
        if not others:
            others.append(threading.Thread(target=write_elsewhere))
            others[0].start()
            _wait_for_waiter(app)
        order.append("fails")
        raise ValueError("no")

    told = _at_once(app, group, [_adding("a"), fail])
    others[0].join()

    assert [told[0], type(told[1])] == ["a", ValueError]
    assert order == ["fails", "fails", "another process"]


def test_whatever_a_piece_raises_the_next_ones_are_kept(app: Flask, group: GroupCommit) -> None:
    def leave(_session: Session) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        group.run(leave, patience=BUSY_TIMEOUT)

    assert group.run(_adding("a"), patience=BUSY_TIMEOUT) == "a"


def test_thread_that_could_not_be_started_is_tried_again(group: GroupCommit, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched, pytest.raises(OperationalError, match="no thread"):
        patched.setattr(threading.Thread, "start", refuse)
        group.run(_adding("lost"), patience=BUSY_TIMEOUT)

    assert group.run(_adding("a"), patience=BUSY_TIMEOUT) == "a"


def test_forked_process_has_a_thread_of_its_own(group: GroupCommit) -> None:
    assert group.run(_adding("a"), patience=BUSY_TIMEOUT) == "a"
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        # No test runner may end here.
        os._exit(0 if group.run(_adding("b"), patience=BUSY_TIMEOUT) == "b" else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert _titles() == ["a", "b"]


def test_connection_that_can_neither_commit_nor_roll_back_gives_its_turn_up(app: Flask) -> None:
    with app.app_context():
        broken = _engine(app, factory=_Broken)
        for _ in range(3):
            with pytest.raises(DBAPIError), Session(broken) as session:
                _adding("lost")(session)
                session.commit()

        assert GroupCommit(db.engine).run(_adding("a"), patience=1) == "a"
        assert _titles() == ["a"]


class _Broken(sqlite.Connection):  # type: ignore[misc, name-defined]  # whichever module it is
    """As on a disk that has gone."""

    def commit(self) -> None:
        raise sqlite.OperationalError("disk I/O error")

    rollback = commit


def _engine(app: Flask, *, factory: type) -> Engine:
    path = Path(app.instance_path) / "microsite.sqlite3"
    engine = create_engine(f"sqlite:///{path}", module=sqlite, connect_args={"factory": factory})
    prepare(engine, is_read_only=lambda: False, patience=lambda: 1)
    return engine


def test_a_commit_that_fails_is_told_to_everybody_and_keeps_nothing(app: Flask, group: GroupCommit) -> None:
    def break_at_the_end(session: Session) -> None:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.execute(text("INSERT INTO slots (open_day_id, starts_at, ends_at, capacity) VALUES (9, 1, 2, 3)"))

    told = _at_once(app, group, [_adding("a"), break_at_the_end])

    assert [type(error) for error in told] == [OperationalError, OperationalError]
    assert told[0] is not told[1]
    assert _titles() == [], "and the connection can be used again"
    assert group.run(_adding("after"), patience=BUSY_TIMEOUT) == "after"


def test_whoever_waits_too_long_gives_up_and_is_not_written(app: Flask) -> None:
    with app.app_context():
        impatient = GroupCommit(db.engine)
        with _line_held(app), pytest.raises(OperationalError, match="didn't move"):
            impatient.run(_adding("late"), patience=0.2)

        assert impatient.run(_adding("a"), patience=BUSY_TIMEOUT) == "a"
        assert _titles() == ["a"]


def test_who_has_given_up_leaves_nothing_in_the_line(app: Flask) -> None:
    class Answers:
        """Somebody's."""

    def late() -> tuple[Work, weakref.ref[Answers]]:
        answers = Answers()

        def keep_them(session: Session) -> str:
            return f"{answers}{session}"

        return keep_them, weakref.ref(answers)

    with app.app_context():
        impatient = GroupCommit(db.engine)
        with _line_held(app), ThreadPoolExecutor() as pool:
            # It is in the thread's hands, hence begins no later than the line moves.
            first = pool.submit(impatient.run, _adding("a"), patience=0.2)
            _wait_for_waiter(app)
            work, answers = late()
            with pytest.raises(OperationalError, match="didn't move"):
                impatient.run(work, patience=0.2)
            del work
            first.exception()
            gc.collect()

            assert impatient._line.waiting.qsize() == 1
            assert answers() is None


def test_who_has_begun_is_waited_for_beyond_their_patience(app: Flask) -> None:
    def linger(session: Session) -> str:
        time.sleep(0.3)
        return str(_adding("a")(session))

    with app.app_context():
        assert GroupCommit(db.engine).run(linger, patience=0.05) == "a"
        assert _titles() == ["a"]


def test_who_has_begun_is_told_even_late_what_failed(app: Flask) -> None:
    def fail(_session: Session) -> None:
        time.sleep(0.3)
        raise TimeoutError("its own")

    with app.app_context(), pytest.raises(TimeoutError, match="its own"):
        GroupCommit(db.engine).run(fail, patience=0.05)


def test_first_answer_stays() -> None:
    for is_awaited in (False, True):
        piece = _Piece(lambda _session: None)
        waiting = threading.Thread(target=piece.wait, args=(5,))
        if is_awaited:
            waiting.start()
        piece.answer("kept")
        if is_awaited:
            waiting.join()
        piece.answer(error=unavailable("too late"))

        assert is_awaited or piece.wait(0) == "kept"
        assert piece._error is None


def test_work_knows_nothing_of_the_request(app: Flask) -> None:
    with app.test_request_context("/brochure", method="POST"), pytest.raises(RuntimeError, match="request context"):
        keep(lambda _session: request.path)


def test_who_reads_before_keeping_does_not_wait_for_themselves(app: Flask) -> None:
    with app.test_request_context("/brochure", method="POST"):
        db.session.scalars(select(OpenDay)).all()

        assert keep(_adding("a")) == "a"
