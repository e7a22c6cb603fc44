"""Replace the installation's data by restored data: all of it or nothing, whenever the process dies.

Everything is prepared beside its place. On SQLite one rename of a folder decides; on PostgreSQL, the transaction that
replaces the schema. The files are moved after that, by whichever program of this installation starts next should this
one die: finish() stands at the very beginning of create_app().
"""

import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine, create_engine

from ..file_lock import locked
from . import postgresql
from .archive import KEPT_FILES, KEPT_FOLDERS
from .backup import sync_folder

# Held by who changes the installation as a whole: a server that starts, a restore.
SERVE_LOCK = "serve.lock"

_STAGE = ".restore"
_READY = ".restore-ready"
# On PostgreSQL, in the folder that is ready: which restore its files belong to.
_TOKEN = ".token"  # noqa: S105  # a file's name
_OLD = ".old"
# What belongs to a database file, and must never meet another one's (sqlite.org/howtocorrupt.html, 1.4).
_BESIDE = ("-wal", "-shm", "-journal")


def new_stage(instance: Path) -> Path:
    """Make an empty folder to prepare a restore in; what a restore that died left there is removed."""
    stage = instance / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700)
    return stage


def discard(instance: Path, engine: Engine) -> None:
    """Remove what was prepared and not decided."""
    shutil.rmtree(instance / _STAGE, ignore_errors=True)
    if engine.dialect.name == "postgresql":
        postgresql.drop_restored(engine)
        return
    new = prepared_database(Path(str(engine.url.database)))
    for end in ("", *_BESIDE, "-queue"):
        new.with_name(new.name + end).unlink(missing_ok=True)


def prepared_database(database: Path) -> Path:
    """Return where a SQLite file is prepared: beside the one it replaces, which may stand on another disk."""
    return database.with_name(f"{database.name}-restored")


def replace(instance: Path, engine: Engine) -> None:
    """Replace database and files by what was prepared; callers hold SERVE_LOCK. Raises what kept it from doing so."""
    stage, token = instance / _STAGE, secrets.token_hex(16)
    is_postgresql = engine.dialect.name == "postgresql"
    if is_postgresql:
        (stage / _TOKEN).write_text(token)
    sync_folder(stage)
    stage.rename(instance / _READY)
    try:
        if is_postgresql:
            sync_folder(instance)
            postgresql.replace_public(engine, token)
    finally:
        _complete(instance, engine)


def finish(instance: Path, url: str) -> None:
    """Complete a restore that was decided before its process died; discard its files if it wasn't."""
    if not (instance / _READY).exists():
        return
    engine = create_engine(url)
    try:
        with locked(instance / SERVE_LOCK):
            _complete(instance, engine)
    finally:
        engine.dispose()


def _complete(instance: Path, engine: Engine) -> None:
    """Each step may have been done before."""
    ready, token = instance / _READY, instance / _READY / _TOKEN
    if not ready.exists():
        return
    if engine.dialect.name == "sqlite":
        sync_folder(instance)
        _replace_database(Path(str(engine.url.database)))
        _replace_files(ready, instance)
    elif token.exists() and token.read_text() == postgresql.last_token(engine):
        _replace_files(ready, instance)
    # Not to be met half removed.
    ready.rename(new_stage(instance))
    shutil.rmtree(instance / _STAGE)


def _replace_database(path: Path) -> None:
    new = prepared_database(path)
    if not new.exists():
        return
    # Nobody reads the old one without its -wal, for finish() comes before every opening.
    for end in _BESIDE:
        path.with_name(path.name + end).unlink(missing_ok=True)
    new.replace(path)
    sync_folder(path.parent)


def _replace_files(ready: Path, instance: Path) -> None:
    (ready / _OLD).mkdir(exist_ok=True)
    for name in (*KEPT_FILES, *KEPT_FOLDERS):
        if (ready / name).exists():
            with suppress(FileNotFoundError):
                (instance / name).rename(ready / _OLD / name)
            (ready / name).rename(instance / name)
    sync_folder(instance)
