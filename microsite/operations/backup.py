"""Making a backup: the database as it stands, the keys, the school's brochure and content, in one dated archive."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from . import postgresql, sqlite_files
from .archive import ERASURES, KEPT_FILES, KEPT_FOLDERS, POSTGRESQL_DUMP, SQLITE_COPY, Manifest, digests, pack
from .archive_folder import DRAFT, alone, name_of, sync_folder


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is saved; `erasures` gives the list of the erased as JSON, once the database has been copied."""

    engine: Engine
    instance: Path
    erasures: Callable[[], bytes]


class NothingToSave(ValueError):
    """The copy isn't sound, or there is no table yet; the text says what was found, in French."""


def make_backup(source: Source, folder: Path, *, now: datetime) -> Path:
    """A new archive (mode 600), there in full or not at all.

    Raises NothingToSave, ProgramFailed, BlockingIOError while another one is being made, OSError, the driver's errors.
    """
    with alone(folder):
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder))
        try:
            return _make(source, folder, draft, now=now)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _make(source: Source, folder: Path, draft: Path, *, now: datetime) -> Path:
    parts = draft / "parts"
    parts.mkdir(mode=0o700)
    revision = _save_database(source.engine, parts)
    (parts / ERASURES).write_bytes(source.erasures())
    _save_files(source.instance, parts)
    manifest = Manifest(made_at=now, engine=source.engine.dialect.name, revision=revision, parts=digests(parts))
    written = draft / "archive"
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        pack(parts, manifest, stream)
        stream.flush()
        os.fsync(stream.fileno())
    path = _free_path(folder, now)
    written.replace(path)
    sync_folder(folder)
    return path


def _save_database(engine: Engine, parts: Path) -> str:
    """The revision that the copy is at."""
    if engine.dialect.name == "sqlite":
        copy = parts / SQLITE_COPY
        sqlite_files.copy_database(Path(str(engine.url.database)), copy)
        if found := sqlite_files.faults(copy):
            raise NothingToSave(f"la base est abîmée, une copie ne vaudrait rien : {' ; '.join(found)}")
        revision = sqlite_files.revision_of(copy)
    else:
        with engine.connect() as connection:
            revision = str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
        postgresql.dump(engine, parts / POSTGRESQL_DUMP)
    if not revision:
        raise NothingToSave("la base est vide : lancez d’abord flask db upgrade")
    return revision


def _save_files(instance: Path, parts: Path) -> None:
    for name in KEPT_FILES:
        if (instance / name).is_file():
            shutil.copyfile(instance / name, parts / name)
    for name in KEPT_FOLDERS:
        if (instance / name).is_dir():
            shutil.copytree(instance / name, parts / name, copy_function=shutil.copyfile, ignore=_hidden)


def _hidden(_folder: str, names: list[str]) -> list[str]:
    """What somebody is just writing, or an editor left."""
    return [name for name in names if name.startswith(".")]


def _free_path(folder: Path, now: datetime) -> Path:
    """A second backup within a second takes the name of the next one."""
    while (path := folder / name_of(now)).exists():
        now += timedelta(seconds=1)
    return path
