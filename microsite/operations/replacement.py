"""What was restored takes the place of what is there: wholly, or not at all, whenever the process dies.

Everything is got ready beside its place. One rename of a folder (`_READY`) then decides; what is left to do is done
again by whichever program of this installation starts next, should this one die: `finish()` stands at the very
beginning of create_app().
"""

import shutil
from contextlib import suppress
from pathlib import Path

from sqlalchemy import create_engine, make_url

from . import postgresql
from .archive_folder import sync_folder
from .server_locks import preparing

_STAGE = ".restore"
_READY = ".restore-ready"
_ASIDE = ".restore-aside"
# Says in the folder that is ready that tables of PostgreSQL were kept aside.
_POSTGRESQL = ".postgresql"
# The restored database waits beside the one it replaces, which may stand on another disk.
_NEW = "-restored"
# What belongs to a database file, and must never meet another one's (sqlite.org/howtocorrupt.html, 1.4).
_BESIDE = ("-wal", "-shm", "-journal")


def new_stage(instance: Path) -> Path:
    """An empty folder to get things ready in; what somebody who died left there goes."""
    stage = instance / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700)
    return stage


def drop_stage(instance: Path, database: Path | None) -> None:
    """Nothing came of it."""
    shutil.rmtree(instance / _STAGE, ignore_errors=True)
    if database is not None:
        remove_database(waiting(database))


def waiting(database: Path) -> Path:
    """Where the restored database is got ready."""
    return database.with_name(database.name + _NEW)


def decide(instance: Path, database: Path | None) -> None:
    """From here on it is the restored one; finish() does the rest. `database` is SQLite's file, None on PostgreSQL.

    The caller holds the folder's lock (locks.py), and has synced what it wrote. Raises OSError if nothing was decided.
    """
    stage = instance / _STAGE
    if database is None:
        (stage / _POSTGRESQL).touch()
    sync_folder(stage)
    stage.rename(instance / _READY)


def finish(instance: Path, url: str) -> None:
    """Do what is left of a restore that was decided; nothing if there is none. Raises what the database raises."""
    if not (instance / _READY).exists():
        return
    with preparing(instance, wait=True):
        apply(instance, url)


def apply(instance: Path, url: str) -> None:
    """The same, for who holds the lock already. Each step may have been done before."""
    ready = instance / _READY
    if not ready.exists():
        return
    sync_folder(instance)
    if (ready / _POSTGRESQL).exists():
        _keep_new_tables(url)
    else:
        _replace_database(Path(str(make_url(url).database)))
    aside = instance / _ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    for path in sorted(ready.iterdir()):
        if path.name != _POSTGRESQL:
            _put_aside(instance / path.name, aside)
            path.rename(instance / path.name)
    sync_folder(instance)
    shutil.rmtree(aside)
    shutil.rmtree(ready)


def remove_database(path: Path) -> None:
    for end in ("", *_BESIDE, "-queue"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _replace_database(path: Path) -> None:
    new = waiting(path)
    if not new.exists():
        return
    # Nobody reads the old one without its -wal, for finish() comes before every opening.
    for end in _BESIDE:
        path.with_name(path.name + end).unlink(missing_ok=True)
    new.rename(path)
    sync_folder(path.parent)


def _keep_new_tables(url: str) -> None:
    engine = create_engine(url)
    try:
        postgresql.keep_new(engine)
    finally:
        engine.dispose()


def _put_aside(path: Path, aside: Path) -> None:
    with suppress(FileNotFoundError):
        path.rename(aside / path.name)
