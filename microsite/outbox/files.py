"""The files that mails are where there is no SMTP server: how they are called, and taken away."""

from collections.abc import Iterable
from pathlib import Path

# In the instance folder: where mails go as long as there is no SMTP server.
MAILS_FOLDER = "mails"


def mails_folder(instance_path: Path) -> Path:
    return instance_path / MAILS_FOLDER


def file_of(folder: Path, key: str) -> Path:
    return folder / f"{key}.eml"


def draft_of(folder: Path, key: str) -> Path:
    """Where it is written; a process that was killed meanwhile leaves it."""
    return folder / f".{key}.tmp"


def remove_mails(folder: Path, keys: Iterable[str]) -> int:
    """Those that are there, and how many it were. Raises OSError."""
    gone = 0
    for key in keys:
        draft_of(folder, key).unlink(missing_ok=True)
        path = file_of(folder, key)
        gone += path.exists()
        path.unlink(missing_ok=True)
    return gone
