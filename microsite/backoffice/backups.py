"""/admissions/sauvegardes: the copies of the database that are there, and how to make one."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Blueprint, Response, make_response, render_template

from ..db import db
from ..web.context import current_settings
from .access import ADMISSIONS, for_roles

# Where whoever makes a backup puts it, in the instance folder.
FOLDER = "backups"
_SHOWN = 30


@dataclass(frozen=True, kw_only=True)
class Backup:
    """`made_at` is when the file was last written."""

    name: str
    size: int
    made_at: datetime


def add_views(bp: Blueprint) -> None:
    bp.add_url_rule("/sauvegardes", "backups", backups)


@for_roles(ADMISSIONS)
def backups() -> Response:
    instance = current_settings().instance_path
    page = render_template(
        "backoffice/backups.html",
        backups=find_backups(instance)[:_SHOWN],
        folder=instance / FOLDER,
        is_sqlite=db.engine.dialect.name == "sqlite",
    )
    return make_response(page)


def find_backups(instance: Path) -> list[Backup]:
    """Newest first. One that is still being written is a hidden file (exports/services.py), or an empty one."""
    found = []
    with suppress(OSError):
        for path in (instance / FOLDER).iterdir():
            status = path.stat()
            if path.is_file() and status.st_size and not path.name.startswith("."):
                made_at = datetime.fromtimestamp(status.st_mtime, UTC)
                found.append(Backup(name=path.name, size=status.st_size, made_at=made_at))
    return sorted(found, key=lambda backup: (backup.made_at, backup.name), reverse=True)
