"""Copies of a SQLite database, made while it is written to, and what SQLite itself finds in them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ..sqlite_engine import sqlite

# How many findings are told: a damaged file has thousands.
_TOLD = 3


def copy_database(source: Path, target: Path) -> None:
    """The database as it stands at this moment, by SQLite's online backup (sqlite.org/backup.html), as one file.

    In one step: it then is a single read, which in WAL mode holds no writer up. Several steps would begin anew at each
    commit in between, and never end on a busy day. Raises the driver's error.
    """
    with _opened(source, mode="ro") as live, _opened(target, mode="rwc") as copy:
        live.backup(copy)
        # Without the -wal and -shm files that a copy in WAL mode would want beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)


def faults(path: Path, *, fast: bool = False) -> list[str]:
    """What integrity_check and foreign_key_check find, none if all is well.

    `fast`: quick_check, which leaves out whether indexes agree with their tables. Raises the driver's error.
    """
    pragma = "quick_check" if fast else "integrity_check"
    with _opened(path, mode="ro") as connection:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}({_TOLD})")]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(_TOLD)
    told = [line for line in found if line != "ok"]
    return told + [f"{row[0]}, ligne {row[1] or '?'} : renvoie à {row[2]}, ligne absente" for row in orphans]


def revision_of(path: Path) -> str:
    """Alembic's, empty for a database without tables. Raises the driver's error."""
    with _opened(path, mode="ro") as connection:
        named = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(named).fetchone() is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def make_single_file(path: Path) -> None:
    """Write it anew, with nothing of rows that were deleted, and no -wal file beside it. Raises the driver's error."""
    with _opened(path, mode="rw") as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def _opened(path: Path, *, mode: str) -> Iterator[Any]:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite.connect(uri, uri=True, isolation_level=None, timeout=30)) as connection:
        yield connection
