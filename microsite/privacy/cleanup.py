"""Remove traces of deleted rows: the files of their mails, and their bytes in the database's files.

The transaction that deletes the rows records what is to be removed, so that a killed process forgets nothing. Callers
remove it after the commit; the background worker retries what couldn't be removed then.
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
from ..formatters import PARIS
from ..outbox.files import mails_folder, remove_mails
from ..outbox.models import OutgoingMail
from . import vacuum
from .models import CleanupKind, PendingCleanup

_BATCH = 500
# Bytes of a SQLite database that is rewritten while somebody waits: others who write wait as well.
_AT_ONCE = 200_000_000
# Hours of Paris at which a larger one is.
_NIGHT = range(2, 5)


def add_mail_files(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> None:
    """Record the files of these mails. Callers commit."""
    is_known = exists().where(PendingCleanup.kind == CleanupKind.MAIL_FILE, PendingCleanup.name == OutgoingMail.key)
    kind = literal(CleanupKind.MAIL_FILE, PendingCleanup.kind.type)
    mails = select(kind, OutgoingMail.key, literal(now, PendingCleanup.since.type)).where(chosen, ~is_known)
    session.execute(insert(PendingCleanup).from_select(["kind", "name", "since"], mails))


def add_vacuum(session: Session, *, now: datetime) -> None:
    """Record that the database's files hold deleted rows. Callers commit."""
    added = insert_into(session, PendingCleanup)
    added = added.on_conflict_do_update(index_elements=["kind", "name"], set_={"since": added.excluded.since})
    session.execute(added, {"kind": CleanupKind.VACUUM, "name": "", "since": now})


def is_cleanup_pending(session: Session) -> bool:
    return session.scalar(select(PendingCleanup.id).limit(1)) is not None


def clean_up(instance_path: Path, *, now: datetime) -> bool:
    """Remove what can be removed now; return whether nothing is left. Ends the session's transaction.

    A SQLite database above _AT_ONCE bytes is rewritten at night only, a smaller one unless others are reading or
    writing it now. Raises OSError.
    """
    _remove_mail_files(instance_path)
    with reading():
        since = db.session.scalar(select(PendingCleanup.since).filter_by(kind=CleanupKind.VACUUM))
    if since is not None and _may_vacuum(now) and _vacuum(db.engine):
        with writing():
            # A later erasure has recorded a later time.
            done = PendingCleanup.kind == CleanupKind.VACUUM, PendingCleanup.since == since
            db.session.execute(delete(PendingCleanup).where(*done))
    with reading():
        return not is_cleanup_pending(db.session())


def _remove_mail_files(instance_path: Path) -> None:
    files = select(PendingCleanup.id, PendingCleanup.name).filter_by(kind=CleanupKind.MAIL_FILE)
    while True:
        with reading():
            found = db.session.execute(files.order_by(PendingCleanup.id).limit(_BATCH)).all()
        if not found:
            return
        remove_mails(mails_folder(instance_path), [name for _, name in found])
        with writing():
            db.session.execute(delete(PendingCleanup).where(PendingCleanup.id.in_([row_id for row_id, _ in found])))


def _may_vacuum(now: datetime) -> bool:
    engine = db.engine
    if engine.dialect.name != "sqlite" or now.astimezone(PARIS).hour in _NIGHT:
        return True
    return Path(str(engine.url.database)).stat().st_size <= _AT_ONCE


def _vacuum(engine: Engine) -> bool:
    return _vacuum_sqlite(engine) if engine.dialect.name == "sqlite" else _vacuum_postgresql(engine)


def _vacuum_sqlite(engine: Engine) -> bool:
    """Run vacuum.py in a process of its own; return False if somebody else is in the way."""
    program, database = str(vacuum.__file__), str(engine.url.database)
    command = [sys.executable, "-I", program, sqlite_engine.sqlite.__name__, database]
    ended = subprocess.run(command, stderr=subprocess.PIPE, check=False, text=True)  # noqa: S603  # our own program
    if ended.returncode not in (0, vacuum.IN_THE_WAY):
        raise OSError(f"the database can't be rewritten: {ended.stderr.strip().splitlines()[-1:]}")
    return ended.returncode == 0


def _vacuum_postgresql(engine: Engine) -> bool:
    """Give the room of deleted rows back; logs and replicas keep theirs for a while (docs/privacy.md)."""
    tables = ", ".join(sorted(Base.metadata.tables))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM {tables}"))
    except DBAPIError:
        return False
    return True
