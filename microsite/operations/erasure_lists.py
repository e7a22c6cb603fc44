"""Who was erased, as backups carry the list and restores apply it: keyed hashes, nobody's data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect

from ..db import db, reading
from ..keys import ERASURE_FILE, Keys, parse_keys
from ..keys.fingerprints import known_fingerprints
from ..privacy.models import ErasedAddress
from ..privacy.scrubbing import Scrubbed
from ..privacy.suppression import Entry, entries, erasure_key, merge, reapply
from .archive import ERASURES, ArchiveRefused, read_parts
from .archive_folder import FOLDER, find_backups


@dataclass(frozen=True, kw_only=True)
class Known:
    """What this installation's own list says, what archives say, and the archives that can't be read.

    `fingerprints` are those of the own list's keys, `keys` those of archives' lists.
    """

    own: list[Entry]
    archived: list[Entry]
    unreadable: list[str]
    fingerprints: frozenset[str]
    keys: list[Keys]


def list_as_json() -> bytes:
    with reading():
        return json.dumps(_entries(), indent=1).encode()


def gather(archive: Path, instance: Path) -> Known:
    """Before the database is replaced. Raises what the database raises."""
    with reading():
        own, fingerprints = _entries(), frozenset(known_fingerprints(db.session(), ERASURE_FILE))
    return gather_from_archives(archive, instance, own=own, fingerprints=fingerprints)


def gather_from_archives(
    archive: Path, instance: Path, *, own: Sequence[Entry] = (), fingerprints: frozenset[str] = frozenset()
) -> Known:
    """Of the archives beside this one too: a newer one knows who was erased since, maybe by another server's key."""
    archived, unreadable, keys = [], [], []
    for folder in {archive.resolve().parent, (instance / FOLDER).resolve()}:
        for backup in find_backups(folder):
            try:
                parts = read_parts(backup.path, ERASURES, ERASURE_FILE)
                if listed := json.loads(parts.get(ERASURES, b"[]")):
                    keys.append(parse_keys(parts.get(ERASURE_FILE, b"").decode("utf-8", "replace"), ERASURE_FILE))
                    archived += listed
            except (ArchiveRefused, OSError, ValueError):
                unreadable.append(backup.name)
    return Known(own=list(own), archived=archived, unreadable=unreadable, fingerprints=fingerprints, keys=keys)


def apply(known: Known, *, keys: Path, now: datetime) -> Scrubbed:
    """Erase again, in the current database, whoever is on a list; `keys` is the folder of its key. Commits nothing."""
    merge(db.session(), [*known.own, *known.archived])
    return reapply(db.session(), key=erasure_key(keys), now=now)


def _entries() -> list[Entry]:
    # A database that waits for its migration has no list yet.
    return entries(db.session()) if inspect(db.session.connection()).has_table(ErasedAddress.__tablename__) else []
