"""The database: declarative base, aware UTC times, and how transactions begin on SQLite and PostgreSQL."""

import enum
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from flask import Flask, current_app, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, Enum, MetaData, TypeDecorator, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError  # SQLAlchemy's own
from sqlalchemy.orm import DeclarativeBase, Session

from . import sqlite_engine
from .group_commit import GroupCommit

T = TypeVar("T")

# Seconds that a writer waits for another one before the database counts as locked, and that any request waits for a
# connection of its process's pool.
BUSY_TIMEOUT = 15
# Seconds within which a PostgreSQL server answers, or counts as out of reach.
CONNECT_TIMEOUT = 5
# Where a request's environ says until when it waits to write (time.monotonic()), in place of BUSY_TIMEOUT seconds.
WRITE_DEADLINE = "microsite.write_deadline"
# What PostgreSQL's integers hold: more is no id.
LARGEST_ID = 2**31 - 1
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

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """In one call a value: of a million rows each has several, and most of them are None."""
        read: Callable[[Any], Any] | None = self.impl_instance.result_processor(dialect, coltype)

        def aware(kept: Any) -> datetime | None:
            if kept is None:
                return None
            value: datetime = read(kept) if read else kept
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

        return aware


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

_read_only: ContextVar[bool | None] = ContextVar("read_only", default=None)


# What a database that can't be had raises: the driver's errors, and the pool's when every connection is taken.
UNAVAILABLE = (DBAPIError, TimeoutError)


def init_app(app: Flask, url: str, *, connections: int, at_most: int) -> None:
    """Keep `connections` open once they were needed, and open others while all are in use, up to `at_most` in all."""
    on_sqlite = url.startswith("sqlite")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    # Statement parameters are people's data: they stay out of messages, hence out of the log.
    options: dict[str, Any] = {"hide_parameters": True, "pool_timeout": BUSY_TIMEOUT}
    options |= {"pool_size": connections, "max_overflow": at_most - connections}
    # The connection used last has its statements parsed and its pages read.
    options["pool_use_lifo"] = True
    if on_sqlite:
        # Python would keep 128 parsed statements for each connection, half a megabyte more.
        options |= {"module": sqlite_engine.sqlite}
        options["connect_args"] = {"timeout": BUSY_TIMEOUT, "cached_statements": 32}
    else:
        # By its name a restore knows that the site is served, on whatever machine.
        waits = {"connect_timeout": CONNECT_TIMEOUT, "options": f"-c lock_timeout={BUSY_TIMEOUT}s"}
        options |= {"pool_pre_ping": True, "connect_args": waits | {"application_name": "microsite"}}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if on_sqlite:
        sqlite_engine.prepare(engine, is_read_only=_is_read_only, patience=_patience)
        app.extensions["group_commit"] = GroupCommit(engine)
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
    """One writing transaction, committed at the end.

    For each step of the background worker, and inside a request that otherwise only reads for what a GET may add: an
    anonymous count, the staff's session, the audit log.
    """
    db.session.rollback()
    with _mode(read_only=False):
        try:
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


def keep(work: Callable[[Session], T]) -> T:
    """What `work` gives, once what it writes is committed; on SQLite together with what others write (group_commit.py).

    It may run twice, and elsewhere: it knows nothing of the request, and what it gives is no object of its session.
    """
    group_commit = current_app.extensions.get("group_commit")
    if group_commit is None:
        with writing():
            return work(db.session())
    # Nobody waits in a line for what they hold themselves.
    if db.session.registry.has():
        db.session.rollback()
    return cast(T, group_commit.run(work, patience=_patience()))


@contextmanager
def _mode(*, read_only: bool) -> Iterator[None]:
    token = _read_only.set(read_only)
    try:
        yield
    finally:
        _read_only.reset(token)


def insert_into(session: Session, table: Any) -> Any:
    """An INSERT that knows ON CONFLICT; SQLAlchemy has one for each engine."""
    return insert_for(session.get_bind().dialect.name, table)


def insert_for(dialect: str, table: Any) -> Any:
    """The same for a statement that is built once."""
    return {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect](table)


def _is_read_only() -> bool:
    chosen = _read_only.get()
    if chosen is not None:
        return chosen
    return has_request_context() and request.method in SAFE_METHODS


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Let this request wait no longer to write inside: for what isn't worth its visitor's time."""
    before = request.environ.get(WRITE_DEADLINE)
    own = time.monotonic() + seconds
    request.environ[WRITE_DEADLINE] = own if before is None else min(own, before)
    try:
        yield
    finally:
        request.environ[WRITE_DEADLINE] = before


def _patience() -> float:
    """Return the seconds that a writer may still wait: what its request has left, or BUSY_TIMEOUT."""
    deadline = request.environ.get(WRITE_DEADLINE) if has_request_context() else None
    return BUSY_TIMEOUT if deadline is None else max(0, deadline - time.monotonic())


def _begin_postgresql(connection: Connection) -> None:
    if _is_read_only():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        return
    patience = _patience()
    if not patience:
        raise OperationalError("BEGIN", None, TimeoutError("the request has waited too long to write"))
    if patience < BUSY_TIMEOUT - 1:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{math.ceil(patience * 1000)}ms'")
