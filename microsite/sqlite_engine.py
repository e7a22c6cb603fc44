"""SQLite as it must be opened: which library, durable, private, writers in line, never a file that has gone."""

import contextlib
import importlib
import math
import os
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.sql import FromClause

from .writer_queue import Turn, WriterQueue

try:
    sqlite: ModuleType = importlib.import_module("pysqlite3")
except ImportError:
    sqlite = importlib.import_module("sqlite3")

# sqlite.org, "walresetbug": from 3.7.0 to 3.51.2 a WAL database can be corrupted.
FIRST_SAFE_WAL = (3, 51, 3)

# Where a connection keeps its place in the writers' queue.
_TURN = "writer_queue_turn"
# Which file a connection has open: device and inode.
_INODE = "database_inode"
# That a connection was opened while the file couldn't be written.
_OPENED_READ_ONLY = "opened_read_only"

# KiB of the file that a connection keeps in memory, and that one which writes may keep before it writes to the log
# (sqlite.org/pragma.html#pragma_cache_spill). A process has up to 29 connections. SQLite's 2,000 KiB make no list or
# search of 100,000 leads quicker: the system keeps the file too, once for all of them.
_CACHE, _SPILL = 256, 2000

# sqlite.org/rescode.html; the low byte of an extended code.
_READONLY = 8


_has_time: ContextVar[bool] = ContextVar("has_time", default=False)


class _FileGone(sqlite.OperationalError):  # type: ignore[misc, name-defined]  # whichever module it is
    """What would be written there is lost."""


class _HintingCompiler(SQLiteCompiler):
    """Writes `with_hint()` after its table, as sqlite.org's "INDEXED BY" wants it; SQLAlchemy leaves it out."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def wal_is_safe(version: tuple[int, ...]) -> bool:
    return version >= FIRST_SAFE_WAL


def wait_for_good() -> None:
    """From here on, this thread stands in the writers' line for as long as it takes."""
    _has_time.set(True)


def prepare(engine: Engine, *, is_read_only: Callable[[], bool], patience: Callable[[], float]) -> None:
    """Make every transaction of this engine begin as it must; `patience` gives a writer's, in seconds."""
    path = Path(str(engine.url.database))
    _make_private(path)
    engine.dialect.statement_compiler = _HintingCompiler
    queue = WriterQueue(path.with_name(f"{path.name}-queue"))

    def begin(connection: PoolProxiedConnection) -> None:
        # A deferred BEGIN that later writes fails at once with "database is locked" whatever the time-out.
        read_only = is_read_only()
        allowed = remaining = patience()
        if not read_only and _TURN not in connection.info:
            connection.info[_TURN], waited = _enter(queue, allowed)
            # What was spent in the line isn't waited a second time.
            remaining -= waited
        _check_file(connection, path)
        _set(connection, "query_only", int(read_only))
        _wait_for_locks(connection, remaining)
        _run(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE")
        # A commit may have readers to wait for.
        _wait_for_locks(connection, allowed)

    def end_what_failed(connection: Any, record: ConnectionPoolEntry) -> None:
        # A transaction whose commit has failed: SQLAlchemy takes it for ended, SQLite doesn't.
        if connection is not None and connection.in_transaction:
            try:
                connection.rollback()
            except sqlite.Error as error:
                # It ends with its connection, and the turn with it: an error from here would keep both.
                record.invalidate(error)

    def leave(_connection: object, record: ConnectionPoolEntry, *_error: object) -> None:
        # The connection goes back to the pool once its transaction is over, however it ended.
        turn = record.info.pop(_TURN, None)
        if turn is not None:
            turn.end()

    def refuse_to_create(*_connect: object) -> None:
        # Opening a file that has gone would make an empty one, readable by all.
        if not path.exists():
            raise sqlite.OperationalError("the database file is gone")

    def note_mode(_connection: object, record: ConnectionPoolEntry) -> None:
        # What SQLite can't open for writing it opens for reading, without a word and for good.
        record.info[_OPENED_READ_ONLY] = not os.access(path, os.W_OK)

    def let_go(_connection: object, record: ConnectionPoolEntry) -> None:
        if record.info.get(_OPENED_READ_ONLY):
            record.invalidate()

    def let_all_go(context: ExceptionContext) -> None:
        # One such connection in use makes those that are opened beside it read-only too: they share the -shm file.
        code = getattr(context.original_exception, "sqlite_errorcode", 0)
        if code & 0xFF == _READONLY and not is_read_only():
            context.is_disconnect = True
            engine.dispose()
        elif isinstance(context.original_exception, _FileGone):
            context.is_disconnect = True

    # In place of its "begin" event, whose listeners would be asked about every statement.
    engine.dialect.do_begin = begin  # type: ignore[method-assign, assignment]
    event.listen(engine, "do_connect", refuse_to_create)
    event.listen(engine, "connect", note_mode)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "handle_error", let_all_go)
    event.listen(engine, "checkin", end_what_failed)
    event.listen(engine, "checkin", let_go)
    event.listen(engine, "checkin", leave)
    event.listen(engine, "invalidate", leave)


def _set_pragmas(connection: Any, _record: object) -> None:
    # The driver's own BEGIN is deferred and comes too late; ours is sent by begin(), above.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    connection.execute(f"PRAGMA cache_spill = -{_SPILL}")
    # What is deleted is written over with zeros (sqlite.org/pragma.html#pragma_secure_delete).
    connection.execute("PRAGMA secure_delete = ON")
    if wal_is_safe(sqlite.sqlite_version_info):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    else:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = EXTRA")


def _wait_for_locks(connection: PoolProxiedConnection, seconds: float) -> None:
    # Rounded up, so that most transactions find it set.
    _set(connection, "busy_timeout", max(0, math.ceil(seconds * 2) * 500))


def _set(connection: PoolProxiedConnection, pragma: str, value: int) -> None:
    """Unless it is so already: a pragma takes as long as a small query."""
    if connection.info.get(pragma) != value:
        _run(connection, f"PRAGMA {pragma} = {value}")
        connection.info[pragma] = value


def _run(connection: PoolProxiedConnection, statement: str) -> None:
    connection.cursor().execute(statement)


def _check_file(connection: PoolProxiedConnection, path: Path) -> None:
    """Refuse to go on with a file that was deleted or replaced: what would be written there is already lost."""
    try:
        status = path.stat()
    except OSError as error:
        raise _FileGone(f"the database file is gone: {error.strerror}") from None
    inode = (status.st_dev, status.st_ino)
    if connection.info.setdefault(_INODE, inode) != inode:
        raise _FileGone("the database file was replaced")


def unavailable(reason: str) -> OperationalError:
    """What SQLite itself would say a moment later, so that one handler answers for all."""
    return OperationalError("BEGIN", None, sqlite.OperationalError(reason))


def _make_private(path: Path) -> None:
    # SQLite gives its -wal and -shm files the mode of the database, and would make that one readable by all.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _enter(queue: WriterQueue, patience: float) -> tuple[Turn, float]:
    """The turn, and how many seconds of a writer's patience it took."""
    began = time.monotonic()
    try:
        if _has_time.get():
            return queue.enter_for_good(), 0
        return queue.enter(patience=patience), time.monotonic() - began
    except OSError as error:
        raise sqlite.OperationalError(f"writers' queue: {error!r}") from None
