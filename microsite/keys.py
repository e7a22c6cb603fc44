"""The secret key, and those that it replaced, which still open what they signed until that has had its time.

One key a line, the one that signs first; behind each older one the moment at which it was replaced.
"""

import os
import secrets
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .config import StartError, make_key

FILE = "secret_key"
# The longest that anything signed is good for: a link that stops mails (privacy/email_views.py).
LONGEST_LIFE = timedelta(days=3 * 365)
_LEAST = 32


@dataclass(frozen=True, kw_only=True)
class OldKey:
    key: str
    replaced_at: datetime


@dataclass(frozen=True, kw_only=True)
class Keys:
    """`old`: the one that was replaced last comes first."""

    current: str
    old: tuple[OldKey, ...] = ()

    def dumps(self) -> str:
        return "".join([f"{self.current}\n", *(f"{old.key} {old.replaced_at.isoformat()}\n" for old in self.old)])

    @classmethod
    def loads(cls, text: str, *, now: datetime) -> "Keys":
        """Without those that have had their time. Raises ValueError."""
        first, *others = [line.split() for line in text.splitlines() if line.strip()] or [[""]]
        old = [OldKey(key=key, replaced_at=datetime.fromisoformat(moment)) for key, moment in others]
        if len(first) != 1 or min(map(len, [first[0], *(one.key for one in old)])) < _LEAST:
            raise ValueError(text)
        return cls(current=first[0], old=tuple(one for one in old if one.replaced_at + LONGEST_LIFE > now))


def load_keys(instance: Path) -> Keys:
    """What the instance folder has; made once, in a file that only its owner reads (mode 600). Raises StartError."""
    path = instance / FILE
    try:
        if not path.exists():
            make_key(path)
        return Keys.loads(path.read_text(encoding="ascii"), now=datetime.now(UTC))
    except OSError as error:
        raise StartError(
            f"Dossier d’instance {instance} : il doit être accessible en écriture ({error.strerror})."
        ) from None
    except (ValueError, TypeError):
        raise StartError(
            f"Clé secrète {path} : au moins {_LEAST} caractères sans accent ; supprimez ce fichier pour la refaire."
        ) from None


def rotate(instance: Path, *, now: datetime, keeps_old: bool) -> Keys:
    """A new key signs from now on; without `keeps_old` what any other has signed ends at once. Raises OSError."""
    before = load_keys(instance)
    old = (OldKey(key=before.current, replaced_at=now), *before.old) if keeps_old else ()
    keys = Keys(current=secrets.token_urlsafe(48), old=old)
    _draft(instance / FILE, keys).replace(instance / FILE)
    return keys


def _draft(path: Path, keys: Keys) -> Path:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(keys.dumps())
        file.flush()
        os.fsync(file.fileno())
    return Path(draft)
