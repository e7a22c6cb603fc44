"""Transactions: who may write, what the file promises, and what is refused."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from microsite.db import db, reading, writing
from microsite.open_days.models import OpenDay, Slot
from microsite.privacy.cleanup import add_vacuum, clean_up
from microsite.sqlite_engine import FIRST_SAFE_WAL, sqlite, wal_is_safe
from microsite.web.context import utc_now


@pytest.fixture
def in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def _day(created_at: datetime = datetime(2027, 1, 4, tzinfo=UTC)) -> OpenDay:
    return OpenDay(title="JPO", place="Paris", created_at=created_at)


@pytest.mark.usefixtures("in_app")
def test_times_come_back_aware_and_in_utc() -> None:
    in_summer = datetime(2027, 7, 1, 10, tzinfo=timezone(timedelta(hours=2)))
    db.session.add(_day(in_summer))
    db.session.commit()

    kept = db.session.scalars(select(OpenDay)).one().created_at
    assert (kept, kept.utcoffset()) == (in_summer, timedelta(0))


@pytest.mark.usefixtures("in_app")
def test_naive_time_is_refused() -> None:
    db.session.add(_day(datetime(2027, 1, 4)))  # noqa: DTZ001  # the point of the test

    with pytest.raises(StatementError, match="aware"):
        db.session.commit()


@pytest.mark.usefixtures("in_app")
def test_foreign_keys_hold() -> None:
    now = datetime(2027, 1, 4, tzinfo=UTC)
    db.session.add(Slot(open_day_id=99, starts_at=now, ends_at=now + timedelta(hours=1), capacity=1))

    with pytest.raises(IntegrityError):
        db.session.commit()


@pytest.mark.usefixtures("in_app")
def test_reading_block_cannot_write() -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), reading():
        db.session.add(_day())
        db.session.flush()


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_reading_block_cannot_write_on_whichever_connection_rewrote_the_database(app: Flask) -> None:
    with writing():
        add_vacuum(db.session(), now=utc_now())
    with reading(), ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(db.engine.connect()).execute(text("SELECT 1"))

    assert clean_up(Path(app.instance_path), now=utc_now())

    for _ in range(4):
        with pytest.raises(DBAPIError, match="readonly"), reading():
            db.session.add(_day())
            db.session.flush()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_request_that_only_reads_cannot_write(app: Flask, method: str) -> None:
    with app.test_request_context("/", method=method):
        db.session.add(_day())
        with pytest.raises(DBAPIError, match=r"readonly|read-only"):
            db.session.commit()
        db.session.rollback()

        with writing():
            db.session.add(_day())

    with app.app_context():
        assert len(db.session.scalars(select(OpenDay)).all()) == 1


def test_post_can_write_after_a_get_on_the_same_connection(app: Flask) -> None:
    with app.test_request_context("/", method="GET"):
        db.session.execute(text("SELECT 1"))
        db.session.rollback()
    with app.test_request_context("/", method="POST"):
        db.session.add(_day())
        db.session.commit()


@pytest.mark.usefixtures("in_app")
def test_failed_writing_block_leaves_nothing() -> None:
    with pytest.raises(RuntimeError), writing():
        db.session.add(_day())
        db.session.flush()
        raise RuntimeError

    assert db.session.scalars(select(OpenDay)).all() == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.usefixtures("in_app")
def test_sqlite_is_durable() -> None:
    journal, synchronous, foreign_keys = (
        db.session.execute(text(f"PRAGMA {name}")).scalar_one()
        for name in ("journal_mode", "synchronous", "foreign_keys")
    )

    # 2 is FULL, 3 is EXTRA (sqlite.org, pragma.html).
    safe_wal = wal_is_safe(sqlite.sqlite_version_info)
    assert (journal, synchronous, foreign_keys) == (("wal", 2, 1) if safe_wal else ("delete", 3, 1))


@pytest.mark.parametrize(
    ("version", "safe"), [((3, 51, 2), False), ((3, 40, 1), False), (FIRST_SAFE_WAL, True), ((4, 0, 0), True)]
)
def test_wal_is_used_only_where_it_cannot_corrupt(version: tuple[int, ...], *, safe: bool) -> None:
    assert wal_is_safe(version) is safe


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_older_sqlite_falls_back_to_the_rollback_journal(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("microsite.sqlite_engine.FIRST_SAFE_WAL", (99, 0, 0))

    with make_app().app_context():
        assert db.session.execute(text("PRAGMA journal_mode")).scalar_one() == "delete"
        assert db.session.execute(text("PRAGMA synchronous")).scalar_one() == 3
        db.session.add(_day())
        db.session.commit()
