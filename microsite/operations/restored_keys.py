"""Choose a restored installation's keys: its own if its database has rows, and each that a list of the erased needs."""

import shutil
from pathlib import Path

from ..keys import ERASURE_FILE, FILE, FILES, Keys, KeyUnreadable, fingerprint, make_key, read_keys, write_keys
from ..keys.fingerprints import KeyRefused, State
from ..web.context import utc_now
from .archive import ERASURES, ArchiveRefused, RestoreRefused
from .erasure_lists import ErasureLists


def write_restored_keys(instance: Path, stage: Path, lists: ErasureLists, *, is_taken: bool) -> list[str]:
    """Write them over the archive's in the stage and return the names of those that change.

    `is_taken`: the database holds rows. Its own signing key then stays, so that one replaced after a leak isn't back.
    Raises RestoreRefused, OSError.
    """
    if is_taken and (instance / FILE).is_file():
        shutil.copyfile(instance / FILE, stage / FILE)
        (stage / FILE).chmod(0o600)
    keys = _choose_erasure_keys(instance, stage, lists, is_taken=is_taken)
    if keys is None:
        make_key(stage / ERASURE_FILE)
    else:
        write_keys(stage, ERASURE_FILE, keys)
    return [name for name in FILES if _content(instance / name) != _content(stage / name)]


def _choose_erasure_keys(instance: Path, stage: Path, lists: ErasureLists, *, is_taken: bool) -> Keys | None:
    own, archived = _read(instance), _read(stage)
    if is_taken and own is not None:
        known = {fingerprint(ERASURE_FILE, key) for key in own.texts}
        if lists.fingerprints and lists.fingerprints.isdisjoint(known):
            raise RestoreRefused(f"la clé d’effacement diffère : {KeyRefused(instance, ERASURE_FILE, State.OTHER)}")
        # The archive's key is of use only if somebody is on its list.
        is_needed = archived is not None and _content(stage / ERASURES).strip() not in (b"", b"[]")
        keys: Keys | None = own.joined([archived] if archived and is_needed else [], now=utc_now())
    else:
        keys = archived or own
    if keys is not None:
        keys = keys.joined(lists.keys, now=utc_now())
    held = {fingerprint(ERASURE_FILE, key) for key in keys.texts} if keys else set()
    if is_taken and (not lists.fingerprints <= held or (lists.own and not keys)):
        raise RestoreRefused(str(KeyRefused(instance, ERASURE_FILE, State.INCOMPLETE)))
    return keys


def _read(folder: Path) -> Keys | None:
    try:
        return read_keys(folder, ERASURE_FILE)
    except FileNotFoundError:
        return None
    except KeyUnreadable:
        raise ArchiveRefused(f"{folder / ERASURE_FILE} ne contient pas de clé") from None


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
