"""The folder of archives: how they are named, which are there, and which have had their time."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..retention import RETENTION, Rule

# In the instance folder, unless another one is named.
FOLDER = "backups"
# How long an archive is kept: it holds people's data, so that no erased person stays in one for longer.
KEPT_DAYS = RETENTION[Rule.BACKUPS].delay.span.days
# What is being written begins like this: hidden.
DRAFT = ".sauvegarde-"

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"sauvegarde-([0-9]{8}T[0-9]{6}Z)\.tar\.gz")


@dataclass(frozen=True, kw_only=True)
class Backup:
    """An archive, `size` in bytes; its name says when it was made, whoever copied it since."""

    path: Path
    size: int
    made_at: datetime

    @property
    def name(self) -> str:
        return self.path.name


def name_of(made_at: datetime) -> str:
    return f"sauvegarde-{made_at.astimezone(UTC).strftime(_STAMP)}.tar.gz"


def find_backups(folder: Path) -> list[Backup]:
    """Newest first; none from a folder that can't be read."""
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match and path.is_file():
                made_at = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                found.append(Backup(path=path, size=path.stat().st_size, made_at=made_at))
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def rotate(folder: Path, *, now: datetime, days: int = KEPT_DAYS) -> list[Backup]:
    """Remove archives older than so many days, the newest of all excepted; those that went."""
    old = [backup for backup in find_backups(folder)[1:] if backup.made_at <= now - timedelta(days=days)]
    for backup in old:
        backup.path.unlink(missing_ok=True)
    return old


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time writes there; what somebody who died was writing is removed. Raises BlockingIOError, or OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for draft in folder.glob(f"{DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)
        yield
    finally:
        os.close(lock)


def sync_folder(folder: Path) -> None:
    """See to it that a renamed file is found under its new name after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
