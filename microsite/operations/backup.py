"""Make backups (database, keys, the school's brochure and content in one dated archive), list and remove archives."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from ..file_lock import locked
from ..privacy.retention import RETENTION, Rule
from . import postgresql, sqlite_files
from .archive import ERASURES, KEPT_FILES, KEPT_FOLDERS, POSTGRESQL_DUMP, SQLITE_COPY, Manifest, digests, pack

# Of the archives, in the instance folder unless another one is named.
FOLDER = "backups"
# How long an archive is kept: it holds people's data, so that no erased person stays in one for longer.
KEPT_DAYS = RETENTION[Rule.BACKUPS].delay.span.days

# What is being written begins like this: hidden.
_DRAFT = ".sauvegarde-"
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"sauvegarde-([0-9]{8}T[0-9]{6}Z)\.tar\.gz")


@dataclass(frozen=True, kw_only=True)
class Backup:
    """An archive of `size` bytes. `made_at` is read from its name, since copying a file changes its times."""

    path: Path
    size: int
    made_at: datetime

    @property
    def name(self) -> str:
        return self.path.name


class NothingToSave(ValueError):
    """The copy isn't sound, or there is no table yet; the text says what was found, in French."""


def make_backup(engine: Engine, instance: Path, folder: Path, *, erasures: Callable[[], bytes], now: datetime) -> Path:
    """Write a new archive (mode 600) to the folder, in full or not at all, and return its path.

    `erasures` gives the list of erased people as JSON; it is called once the database has been copied. Raises
    NothingToSave, ProgramFailed, BlockingIOError while another backup is being made, OSError, the driver's errors.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder, wait=False):
        for left in folder.glob(f"{_DRAFT}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_DRAFT, dir=folder, ignore_cleanup_errors=True) as draft:
            parts, written, path = Path(draft) / "parts", Path(draft) / "archive", _free_path(folder, now)
            parts.mkdir(mode=0o700)
            revision = _save_database(engine, parts)
            (parts / ERASURES).write_bytes(erasures())
            _save_files(instance, parts)
            manifest = Manifest(made_at=now, engine=engine.dialect.name, revision=revision, parts=digests(parts))
            _pack(parts, written, manifest)
            written.replace(path)
            sync_folder(folder)
            return path


def archive_name(made_at: datetime) -> str:
    return f"sauvegarde-{made_at.astimezone(UTC).strftime(_STAMP)}.tar.gz"


def find_backups(folder: Path) -> list[Backup]:
    """List the folder's archives, newest first; none from a folder that can't be read."""
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match and path.is_file():
                made_at = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                found.append(Backup(path=path, size=path.stat().st_size, made_at=made_at))
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def remove_old_backups(folder: Path, *, now: datetime, days: int = KEPT_DAYS) -> list[Backup]:
    """Remove archives older than so many days, but never the newest, and return those that were removed."""
    old = [backup for backup in find_backups(folder)[1:] if backup.made_at <= now - timedelta(days=days)]
    for backup in old:
        backup.path.unlink(missing_ok=True)
    return old


def sync_folder(folder: Path) -> None:
    """See to it that a renamed file is found under its new name after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _save_database(engine: Engine, parts: Path) -> str:
    """Copy the database and return the copy's revision."""
    if engine.dialect.name == "sqlite":
        copy = parts / SQLITE_COPY
        sqlite_files.copy_database(Path(str(engine.url.database)), copy)
        if found := sqlite_files.find_faults(copy):
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
            # Hidden files are being written, or an editor left them.
            hidden = shutil.ignore_patterns(".*")
            shutil.copytree(instance / name, parts / name, copy_function=shutil.copyfile, ignore=hidden)


def _pack(parts: Path, written: Path, manifest: Manifest) -> None:
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        pack(parts, manifest, stream)
        stream.flush()
        os.fsync(stream.fileno())


def _free_path(folder: Path, now: datetime) -> Path:
    """A second backup within a second takes the name of the next one."""
    while (path := folder / archive_name(now)).exists():
        now += timedelta(seconds=1)
    return path
