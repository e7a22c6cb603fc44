"""What rows that were deleted for good leave behind: files of mails, and bytes in the database's own files.

It is noted in the transaction that deletes, so that a process which is killed forgets nothing; cleared once that is
committed, or by the background worker.
"""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, exists, insert, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from .. import sqlite_engine
from ..db import Base, db, insert_into, reading, writing
from ..outbox.files import mails_folder, remove_mails
from ..outbox.models import OutgoingMail
from ..school import PARIS
from .models import Leftover, LeftoverKind

_BATCH = 500
# Bytes of a SQLite database that is written anew while somebody waits: others who write wait as well.
_AT_ONCE = 200_000_000
# Hours of Paris at which a larger one is.
_NIGHT = range(2, 5)
# Milliseconds that a reader of older pages is waited for, and how often.
_PATIENCE, _TRIES = 1000, 3


def note_mails(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> None:
    """The files of these mails are to go. Callers commit."""
    is_noted = exists().where(Leftover.kind == LeftoverKind.MAIL, Leftover.name == OutgoingMail.key)
    kind = literal(LeftoverKind.MAIL, Leftover.kind.type)
    mails = select(kind, OutgoingMail.key, literal(now, Leftover.since.type)).where(chosen, ~is_noted)
    session.execute(insert(Leftover).from_select(["kind", "name", "since"], mails))


def note_database(session: Session, *, now: datetime) -> None:
    """What was deleted is to leave the database's files too. Callers commit."""
    added = insert_into(session, Leftover)
    added = added.on_conflict_do_update(index_elements=["kind", "name"], set_={"since": added.excluded.since})
    session.execute(added, {"kind": LeftoverKind.DATABASE, "name": "", "since": now})


def is_any_left(session: Session) -> bool:
    return session.scalar(select(Leftover.id).limit(1)) is not None


def clear(instance_path: Path, *, now: datetime) -> bool:
    """Clear what can be cleared now; whether nothing is left. Ends the session's transaction.

    Left is what somebody reads at this very moment, and a large SQLite database until the night. Raises OSError.
    """
    _clear_mails(instance_path)
    with reading():
        since = db.session.scalar(select(Leftover.since).filter_by(kind=LeftoverKind.DATABASE))
    if since is not None and _may_rewrite(now) and _rewrite(db.engine):
        with writing():
            # Another one erased meanwhile has noted a later time.
            done = delete(Leftover).where(Leftover.kind == LeftoverKind.DATABASE, Leftover.since == since)
            db.session.execute(done)
    with reading():
        return not is_any_left(db.session())


def _clear_mails(instance_path: Path) -> None:
    mails = select(Leftover.id, Leftover.name).where(Leftover.kind == LeftoverKind.MAIL).order_by(Leftover.id)
    while True:
        with reading():
            found = db.session.execute(mails.limit(_BATCH)).all()
        if not found:
            return
        remove_mails(mails_folder(instance_path), [name for _, name in found])
        with writing():
            db.session.execute(delete(Leftover).where(Leftover.id.in_([row_id for row_id, _ in found])))


def _may_rewrite(now: datetime) -> bool:
    engine = db.engine
    if engine.dialect.name != "sqlite" or now.astimezone(PARIS).hour in _NIGHT:
        return True
    return Path(str(engine.url.database)).stat().st_size <= _AT_ONCE


def _rewrite(engine: Engine) -> bool:
    return _rewrite_sqlite(engine) if engine.dialect.name == "sqlite" else _vacuum_postgresql(engine)


def _rewrite_sqlite(engine: Engine) -> bool:
    """Write the database anew, and empty its write-ahead log; False where somebody else is in the way.

    secure_delete leaves copies that SQLite made when it shared a full page out (about one erased row in 300): only
    VACUUM builds every page from what is there.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only = 0")
        cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        cursor.execute("VACUUM")
        return any(_empty_log(cursor) for _ in range(_TRIES))
    except sqlite_engine.sqlite.OperationalError:
        return False
    finally:
        # Not for the pool, which knows in which mode its own are (sqlite_engine.py).
        connection.invalidate()


def _empty_log(cursor: Any) -> bool:
    is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if is_busy:
        time.sleep(_PATIENCE / 10_000)
    return not is_busy


def _vacuum_postgresql(engine: Engine) -> bool:
    """Give the room of deleted rows back; what stands in logs and replicas is PostgreSQL's (docs/privacy.md)."""
    tables = ", ".join(sorted(Base.metadata.tables))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM {tables}"))
    except DBAPIError:
        return False
    return True
