"""What rows that were deleted for good leave behind: files of mails, and bytes in the database's own files.

It is noted in the transaction that deletes, so that a process which is killed forgets nothing; cleared once that is
committed, or by the background worker.
"""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, delete, exists, insert, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from .. import sqlite_engine
from ..db import Base, db, insert_into, reading, writing
from ..outbox.files import mails_folder, remove_mails
from ..outbox.models import OutgoingMail
from ..school import PARIS
from . import vacuum
from .models import Leftover, LeftoverKind

_BATCH = 500
# Bytes of a SQLite database that is written anew while somebody waits: others who write wait as well.
_AT_ONCE = 200_000_000
# Hours of Paris at which a larger one is.
_NIGHT = range(2, 5)


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
    """In a process of its own, whose memory goes with it; False where somebody else is in the way."""
    program, database = str(vacuum.__file__), str(engine.url.database)
    command = [sys.executable, "-I", program, sqlite_engine.sqlite.__name__, database]
    ended = subprocess.run(command, stderr=subprocess.PIPE, check=False, text=True)  # noqa: S603  # our own program
    if ended.returncode not in (0, vacuum.IN_THE_WAY):
        raise OSError(f"the database can't be written anew: {ended.stderr.strip().splitlines()[-1:]}")
    return ended.returncode == 0


def _vacuum_postgresql(engine: Engine) -> bool:
    """Give the room of deleted rows back; what stands in logs and replicas is PostgreSQL's (docs/privacy.md)."""
    tables = ", ".join(sorted(Base.metadata.tables))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM {tables}"))
    except DBAPIError:
        return False
    return True
