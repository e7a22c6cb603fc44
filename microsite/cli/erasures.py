"""Who was erased, as backups carry the list and restores apply it: keyed hashes, nobody's data."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect

from ..backups.archive import ERASURES, ArchiveRefused, read_part
from ..backups.shelf import FOLDER, find_backups
from ..db import db, reading
from ..privacy.models import ErasedAddress
from ..privacy.scrubbing import Scrubbed
from ..privacy.suppression import Entry, entries, erasure_key, merge, reapply
from ..web.context import current_settings


@dataclass(frozen=True, kw_only=True)
class Known:
    """What this installation's own list says, what archives say, and the archives that can't be read."""

    own: list[Entry]
    archived: list[Entry]
    unreadable: list[str]


def list_as_json() -> bytes:
    # Made now, if it is still to be made: each archive has the key that newer archives' lists were written with.
    erasure_key(current_settings().instance_path)
    with reading():
        return json.dumps(_entries(), indent=1).encode()


def gather(archive: Path, instance: Path) -> Known:
    """Before the database is replaced. Raises what the database raises."""
    with reading():
        own = _entries()
    return gather_from_archives(archive, instance, own=own)


def gather_from_archives(archive: Path, instance: Path, *, own: list[Entry] | None = None) -> Known:
    """Of the archives beside this one too: a newer one knows who was erased since."""
    archived, unreadable = [], []
    for folder in {archive.resolve().parent, (instance / FOLDER).resolve()}:
        for backup in find_backups(folder):
            try:
                archived += json.loads(read_part(backup.path, ERASURES) or b"[]")
            except (ArchiveRefused, OSError, ValueError):
                unreadable.append(backup.name)
    return Known(own=own or [], archived=archived, unreadable=unreadable)


def apply(known: Known, *, keys: Path, now: datetime) -> Scrubbed:
    """Erase again, in the current database, whoever is on a list; `keys` is the folder of its key. Commits nothing."""
    merge(db.session(), [*known.own, *known.archived])
    return reapply(db.session(), key=erasure_key(keys), now=now)


def _entries() -> list[Entry]:
    # A database that waits for its migration has no list yet.
    return entries(db.session()) if inspect(db.session.connection()).has_table(ErasedAddress.__tablename__) else []
