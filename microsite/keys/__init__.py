"""The installation's keys, files of the instance folder: one signs links, one hashes the addresses of erased people.

One key a line, the one in use first; behind each older one, which still opens or finds what it made, the moment at
which it was replaced.
"""

import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..config import StartError

FILE = "secret_key"
ERASURE_FILE = "erasure_key"
FILES = (FILE, ERASURE_FILE)
# The longest that anything signed is good for: a link that stops mails (privacy/views.py).
LONGEST_LIFE = timedelta(days=3 * 365)
_LEAST = 32
# What make_key() draws.
_USUAL = re.compile(r"[A-Za-z0-9_-]{64}")


class KeyUnreadable(ValueError):
    """The file holds no keys; the text says so, in French."""


@dataclass(frozen=True, kw_only=True)
class OldKey:
    key: str
    replaced_at: datetime


@dataclass(frozen=True, kw_only=True)
class Keys:
    """`old`: the one that was replaced last comes first."""

    current: str
    old: tuple[OldKey, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, the one in use first."""
        return self.current, *(one.key for one in self.old)

    def dumps(self) -> str:
        return "".join([f"{self.current}\n", *(f"{old.key} {old.replaced_at.isoformat()}\n" for old in self.old)])

    @classmethod
    def loads(cls, text: str, *, now: datetime, life: timedelta | None = LONGEST_LIFE) -> "Keys":
        """Without the old ones that were replaced longer ago than `life`. Raises ValueError."""
        first, *others = [line.split() for line in text.splitlines() if line.strip()] or [[""]]
        old = [OldKey(key=key, replaced_at=datetime.fromisoformat(moment)) for key, moment in others]
        keys = [first[0], *(one.key for one in old)]
        # A file that a power cut left may be all NUL characters.
        if len(first) != 1 or not text.isascii() or not all(len(key) >= _LEAST and key.isprintable() for key in keys):
            raise ValueError("no keys")
        if any(one.replaced_at.tzinfo is None for one in old):
            raise ValueError("a time without its zone")
        return cls(current=first[0], old=tuple(one for one in old if life is None or one.replaced_at + life > now))

    def joined(self, others: Iterable["Keys"], *, now: datetime) -> "Keys":
        """The same keys with the others' as old ones; those that were in use there are replaced `now`."""
        old = {one.key: one for keys in (self, *others) for one in keys.old}
        for keys in others:
            old.setdefault(keys.current, OldKey(key=keys.current, replaced_at=now))
        old.pop(self.current, None)
        return Keys(current=self.current, old=_newest_first(old.values()))

    def without(self, keys: Collection[str]) -> "Keys | None":
        """Return the same keys but for these, the newest left in use; None if none is left."""
        current, *others = [key for key in self.texts if key not in keys] or [""]
        old = tuple(one for one in self.old if one.key in others)
        return Keys(current=current, old=old) if current else None

    def led_by(self, key: str, *, now: datetime) -> "Keys":
        """The same keys with another of them in use."""
        return Keys(current=key).joined([self], now=now)


def parse_keys(text: str, name: str) -> Keys:
    """What a file of that name holds: links live their time, a list of erased people asks for each of its keys.

    Raises KeyUnreadable.
    """
    try:
        return Keys.loads(text, now=datetime.now(UTC), life=LONGEST_LIFE if name == FILE else None)
    except (ValueError, TypeError):
        raise KeyUnreadable(f"{name} : attendu au moins {_LEAST} caractères sans accent par clé") from None


def read_keys(instance: Path, name: str) -> Keys:
    """Read the instance folder's keys of that name. Raises OSError, KeyUnreadable."""
    try:
        text = (instance / name).read_text(encoding="utf-8", errors="replace")
    except IsADirectoryError:
        raise KeyUnreadable(f"{name} : un dossier est à la place du fichier") from None
    return parse_keys(text, name)


def load_keys(instance: Path) -> Keys:
    """The keys that sign; made once, in a file that only its owner reads (mode 600). Raises StartError."""
    path = instance / FILE
    try:
        if not path.exists():
            make_key(path)
        return read_keys(instance, FILE)
    except OSError as error:
        raise StartError(
            f"Dossier d’instance {instance} : il doit être accessible en écriture ({error.strerror})."
        ) from None
    except KeyUnreadable:
        raise StartError(
            f"Clé secrète {path} : au moins {_LEAST} caractères sans accent ; voyez flask ops adopt-key"
        ) from None


def has_usual_shape(key: str) -> bool:
    """Return whether make_key() may have made it; operators may have written others by hand."""
    return _USUAL.fullmatch(key) is not None


def make_key(path: Path) -> None:
    """Write a random key in a file that only its owner reads, unless there is one already. Raises OSError."""
    # Several workers may start at once: the first link wins, and the others read its key.
    draft = _draft(path, Keys(current=secrets.token_urlsafe(48)))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def write_keys(instance: Path, name: str, keys: Keys) -> None:
    """Replace the file's keys, wholly or not at all. Raises OSError."""
    _draft(instance / name, keys).replace(instance / name)


def set_aside(instance: Path, name: str, *, now: datetime) -> Path:
    """Rename a file that holds no keys, readable by its owner alone, and return its new path. Raises OSError."""
    path = instance / f"{name}.damaged-{now:%Y%m%d-%H%M%S-%f}"
    (instance / name).rename(path)
    path.chmod(0o600)
    return path


def rotate(
    instance: Path, *, now: datetime, keeps_old: bool, record: Callable[[Keys], None] = lambda _keys: None
) -> Keys:
    """A new key signs from now on; without `keeps_old` what any other has signed ends at once. Raises OSError.

    `record` is given what the file holds after each step. The old keys go in a second one: wherever a kill comes in
    between, file and record have a key in common.
    """
    before = load_keys(instance)
    rotated = Keys(current=secrets.token_urlsafe(48)).joined([before], now=now)
    steps = [rotated] if keeps_old else [rotated, Keys(current=rotated.current)]
    for keys in steps:
        write_keys(instance, FILE, keys)
        record(keys)
    return steps[-1]


def fingerprint(name: str, key: str) -> str:
    """HMAC-SHA-256 of the file's name under the key: tells two keys apart, and says nothing of either."""
    return hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()


def _newest_first(old: Iterable[OldKey]) -> tuple[OldKey, ...]:
    return tuple(sorted(old, key=lambda one: one.replaced_at, reverse=True))


def _draft(path: Path, keys: Keys) -> Path:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        if os.geteuid() == 0:
            # The account that serves the site has the folder, and reads what root writes for it.
            folder = path.parent.stat()
            os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
        file.write(keys.dumps())
        file.flush()
        os.fsync(file.fileno())
    return Path(draft)
