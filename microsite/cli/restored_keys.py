"""Choose a restored installation's keys: its own if its database has rows, and each that a list of the erased needs."""

import json
from pathlib import Path

import click

from ..keys import ERASURE_FILE, FILE, FILES, Keys, KeyUnreadable, fingerprint, make_key, read_keys, write_keys
from ..keys.fingerprints import KeyRefused, State
from ..operations.archive import ERASURES, ArchiveRefused
from ..operations.erasure_lists import Known
from ..operations.restorable import keep_own_key
from ..web.context import utc_now


def lay_out_keys(instance: Path, stage: Path, known: Known, *, is_taken: bool) -> list[str]:
    """Write them beside what the archive gave and return the names of those that change.

    `is_taken`: the database holds rows. Its own signing key then stays, so that one replaced after a leak isn't back.
    Raises ClickException, ArchiveRefused, OSError.
    """
    if is_taken:
        keep_own_key(instance, stage, FILE)
    keys = _erasure_keys(instance, stage, known, is_taken=is_taken)
    if keys is None:
        make_key(stage / ERASURE_FILE)
    else:
        write_keys(stage, ERASURE_FILE, keys)
    return [name for name in FILES if _content(instance / name) != _content(stage / name)]


def _erasure_keys(instance: Path, stage: Path, known: Known, *, is_taken: bool) -> Keys | None:
    own, given = _read(instance), _read(stage)
    if is_taken and own is not None:
        _check_own(own, instance, known)
        keys: Keys | None = own.joined([given] if given and _lists_anybody(stage) else [], now=utc_now())
    else:
        keys = given or own
    if keys is not None:
        keys = keys.joined(known.keys, now=utc_now())
    held = {fingerprint(ERASURE_FILE, key) for key in keys.texts} if keys else set()
    if is_taken and (not known.fingerprints <= held or (known.own and not keys)):
        raise click.ClickException(f"{KeyRefused(instance, ERASURE_FILE, State.INCOMPLETE)}. Rien n’a changé.")
    return keys


def _check_own(own: Keys, instance: Path, known: Known) -> None:
    """Refuse keys of which the database knows none: its list of erased people would be of no use."""
    if known.fingerprints and known.fingerprints.isdisjoint(fingerprint(ERASURE_FILE, key) for key in own.texts):
        refused = KeyRefused(instance, ERASURE_FILE, State.OTHER)
        raise click.ClickException(f"la clé d’effacement diffère : {refused}. Rien n’a changé.")


def _lists_anybody(stage: Path) -> bool:
    """Return whether the archive lists an erased person, for whom its key is needed."""
    path = stage / ERASURES
    return path.exists() and json.loads(path.read_bytes()) != []


def _read(folder: Path) -> Keys | None:
    try:
        return read_keys(folder, ERASURE_FILE)
    except FileNotFoundError:
        return None
    except KeyUnreadable:
        raise ArchiveRefused(f"{folder / ERASURE_FILE} ne contient pas de clé") from None


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
