"""The database: declarative base, aware UTC times, and how transactions begin on SQLite and PostgreSQL."""

import contextlib
import enum
import importlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Flask, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, Enum, MetaData, TypeDecorator, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry

from .writer_queue import Turn, WriterQueue

try:
    sqlite: ModuleType = importlib.import_module("pysqlite3")
except ImportError:
    sqlite = sqlite3

# Seconds that a writer waits for another one before the database counts as locked.
BUSY_TIMEOUT = 5
# sqlite.org, "walresetbug": from 3.7.0 to 3.51.2 a WAL database can be corrupted.
FIRST_SAFE_WAL = (3, 51, 3)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps it without its zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times in the database are aware: give this one a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _values(members: type[enum.Enum]) -> list[str]:
    return [member.value for member in members]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's own class setting
        datetime: UTCDateTime,
        # Kept as their value in a plain text column: a new member needs no migration.
        enum.Enum: Enum(enum.Enum, native_enum=False, length=20, values_callable=_values),
    }


db = SQLAlchemy(metadata=Base.metadata)

# SQLite gives the id of the last row, once erased, to the next one; PostgreSQL never does.
NEVER_REUSED_ID = {"sqlite_autoincrement": True}

# Where a connection keeps its place in the writers' queue.
_TURN = "writer_queue_turn"
# Which file a connection has open: device and inode.
_INODE = "database_inode"

_read_only: ContextVar[bool | None] = ContextVar("read_only", default=None)


def init_app(app: Flask, url: str) -> None:
    on_sqlite = url.startswith("sqlite")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    # Statement parameters are people's data: they stay out of messages, hence out of the log.
    options: dict[str, Any] = {"hide_parameters": True}
    if on_sqlite:
        options |= {"module": sqlite, "connect_args": {"timeout": BUSY_TIMEOUT}}
    else:
        waits = {"connect_timeout": BUSY_TIMEOUT, "options": f"-c lock_timeout={BUSY_TIMEOUT}s"}
        options |= {"pool_pre_ping": True, "connect_args": waits}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if on_sqlite:
        _listen_on_sqlite(engine)
    else:
        event.listen(engine, "begin", _begin_postgresql)


@contextmanager
def reading() -> Iterator[None]:
    """What runs inside can't write: the database itself refuses. Ends the transaction before and after."""
    db.session.rollback()
    with _mode(read_only=True):
        try:
            yield
        finally:
            db.session.rollback()


@contextmanager
def writing() -> Iterator[None]:
    """One writing transaction inside a request that otherwise only reads, committed at the end.

    Only for what a GET may add: an anonymous count, the staff's session, the audit log.
    """
    db.session.rollback()
    with _mode(read_only=False):
        try:
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


@contextmanager
def _mode(*, read_only: bool) -> Iterator[None]:
    token = _read_only.set(read_only)
    try:
        yield
    finally:
        _read_only.reset(token)


def _is_read_only() -> bool:
    chosen = _read_only.get()
    if chosen is not None:
        return chosen
    return has_request_context() and request.method in SAFE_METHODS


def wal_is_safe(version: tuple[int, ...]) -> bool:
    return version >= FIRST_SAFE_WAL


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN is deferred and comes too late; ours is sent by _begin_sqlite.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    if wal_is_safe(sqlite.sqlite_version_info):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    else:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = EXTRA")


def _listen_on_sqlite(engine: Engine) -> None:
    path = Path(str(engine.url.database))
    _make_private(path)
    queue = WriterQueue(path.with_name(f"{path.name}-queue"), patience=BUSY_TIMEOUT)

    def begin(connection: Connection) -> None:
        # A deferred BEGIN that later writes fails at once with "database is locked" whatever the time-out.
        read_only = _is_read_only()
        _check_file(connection, path)
        if not read_only and _TURN not in connection.info:
            connection.info[_TURN] = _enter(queue)
        connection.exec_driver_sql(f"PRAGMA query_only = {int(read_only)}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    def leave(_connection: object, record: ConnectionPoolEntry, *_error: object) -> None:
        # The connection goes back to the pool once its transaction is over, however it ended.
        turn = record.info.pop(_TURN, None)
        if turn is not None:
            turn.end()

    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", begin)
    event.listen(engine, "checkin", leave)
    event.listen(engine, "invalidate", leave)


def _check_file(connection: Connection, path: Path) -> None:
    """Refuse to go on with a file that was deleted or replaced: what would be written there is already lost."""
    try:
        status = path.stat()
    except OSError as error:
        connection.invalidate()
        raise _unavailable(f"the database file is gone: {error.strerror}") from None
    inode = (status.st_dev, status.st_ino)
    if connection.info.setdefault(_INODE, inode) != inode:
        connection.invalidate()
        raise _unavailable("the database file was replaced")


def _unavailable(reason: str) -> OperationalError:
    """What SQLite itself would say a moment later, so that one handler answers for all."""
    return OperationalError("BEGIN", None, sqlite.OperationalError(reason))


def _make_private(path: Path) -> None:
    # SQLite gives its -wal and -shm files the mode of the database, and would make that one readable by all.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _enter(queue: WriterQueue) -> Turn:
    try:
        return queue.enter()
    except OSError as error:
        raise _unavailable(f"writers' queue: {error!r}") from None


def _begin_postgresql(connection: Connection) -> None:
    if _is_read_only():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
