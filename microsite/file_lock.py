"""Locks between processes (flock), on a file or a folder; a read-only folder will do."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def lock(path: Path, *, wait: bool = True) -> int:
    """Lock a folder, or a file, which is made if it is missing, until the returned descriptor is closed.

    The file is opened anew each time: a descriptor that a forked process inherits would share its lock.

    Raises BlockingIOError if it is locked and `wait` is false, OSError.
    """
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(handle)
        raise
    return handle


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock until the end of the `with`. Raises as lock() does."""
    handle = lock(path, wait=wait)
    try:
        yield
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Return whether another process, or another descriptor of this one, holds the lock. Raises OSError."""
    try:
        with locked(path, wait=False):
            return False
    except BlockingIOError:
        return True
