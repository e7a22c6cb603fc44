"""Copies of a SQLite database, made while it is written to, and what SQLite itself finds in them."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ..sqlite_engine import sqlite

# How many findings are named: a damaged file has thousands.
_NAMED = 3


def copy_database(source: Path, target: Path) -> None:
    """Copy the database as it stands at this moment, by SQLite's online backup (sqlite.org/backup.html), as one file.

    In one step: it then is a single read, which in WAL mode holds no writer up. Several steps would begin anew at each
    commit in between, and never end on a busy day. Raises the driver's error.
    """
    with _opened(source, mode="ro") as live, _opened(target, mode="rwc") as copy:
        live.backup(copy)
        # Without the -wal and -shm files that a copy in WAL mode would want beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)


def find_faults(path: Path, *, fast: bool = False) -> list[str]:
    """Return what integrity_check and foreign_key_check find, nothing if all is well.

    `fast`: quick_check, which leaves out whether indexes agree with their tables. Raises the driver's error.
    """
    pragma = "quick_check" if fast else "integrity_check"
    with _opened(path, mode="ro") as connection:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}({_NAMED})")]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(_NAMED)
    damaged = [line for line in found if line != "ok"]
    return damaged + [f"{row[0]}, ligne {row[1] or '?'} : renvoie à {row[2]}, ligne absente" for row in orphans]


def revision_of(path: Path) -> str:
    """Return Alembic's revision, empty for a database without tables. Raises the driver's error."""
    with _opened(path, mode="ro") as connection:
        named = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(named).fetchone() is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def make_single_file(path: Path) -> None:
    """Rewrite the database as one file, synced to the disk, without bytes of deleted rows.

    Raises the driver's error, OSError.
    """
    with _opened(path, mode="rw") as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = DELETE")
    path.with_name(f"{path.name}-queue").unlink(missing_ok=True)
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _opened(path: Path, *, mode: str) -> Iterator[Any]:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite.connect(uri, uri=True, isolation_level=None, timeout=30)) as connection:
        yield connection
