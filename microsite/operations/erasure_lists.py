"""Lists of erased people, as backups carry them and restores apply them: keyed hashes, nobody's data."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect

from ..db import db, reading
from ..keys import ERASURE_FILE, Keys, parse_keys
from ..keys.fingerprints import known_fingerprints
from ..privacy.erased_addresses import Entry, erasure_key, list_entries, merge_entries
from ..privacy.erasure import ErasedRows, reapply_erasures
from ..privacy.models import ErasedAddress
from .archive import ERASURES, ArchiveRefused, read_parts
from .backup import FOLDER, find_backups


@dataclass(kw_only=True)
class ErasureLists:
    """The installation's own list with its keys' fingerprints, archives' lists with their keys, unreadable archives."""

    own: list[Entry] = field(default_factory=list)
    fingerprints: set[str] = field(default_factory=set)
    archived: list[Entry] = field(default_factory=list)
    keys: list[Keys] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def dump_list() -> bytes:
    """Return the database's list as JSON."""
    with reading():
        return json.dumps(_entries(), indent=1).encode()


def read_own_list() -> ErasureLists:
    """Read the list of the database that a restore is to replace. Raises what the database raises."""
    with reading():
        return ErasureLists(own=_entries(), fingerprints=set(known_fingerprints(db.session(), ERASURE_FILE)))


def add_archived_lists(lists: ErasureLists, archive: Path, instance: Path) -> None:
    """Add the lists of all archives beside this one: a newer one knows who was erased since, maybe by another key."""
    for folder in {archive.resolve().parent, (instance / FOLDER).resolve()}:
        for backup in find_backups(folder):
            try:
                parts = read_parts(backup.path, ERASURES, ERASURE_FILE)
                if listed := json.loads(parts.get(ERASURES, b"[]")):
                    text = parts.get(ERASURE_FILE, b"").decode("utf-8", "replace")
                    lists.keys.append(parse_keys(text, ERASURE_FILE))
                    lists.archived += listed
            except (ArchiveRefused, OSError, ValueError):
                lists.unreadable.append(backup.name)


def apply_lists(lists: ErasureLists, *, keys: Path, now: datetime) -> ErasedRows:
    """Re-apply the erasures on all lists to the current database. Callers commit.

    `keys` is the folder that holds the erasure key.
    """
    merge_entries(db.session(), [*lists.own, *lists.archived])
    return reapply_erasures(db.session(), key=erasure_key(keys), now=now)


def _entries() -> list[Entry]:
    # A database that waits for its migration has no list yet.
    return list_entries(db.session()) if inspect(db.session.connection()).has_table(ErasedAddress.__tablename__) else []
