"""Whether this installation is served: `serve` holds a lock for each port, and one while it prepares the database."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREPARING = "serve.lock"
_SERVED = "serve-*.lock"


class SiteIsServed(RuntimeError):
    """A server of this machine serves from this folder, or is about to."""


class RestoreRuns(RuntimeError):
    """Somebody restores this database, or begins to serve it, maybe on another machine."""


@contextmanager
def stopped_site(instance: Path) -> Iterator[None]:
    """No server can begin until the end of the `with`: it waits. Raises SiteIsServed."""
    with preparing(instance, wait=False):
        for path in instance.glob(_SERVED):
            if is_locked(path):
                raise SiteIsServed(path.stem.removeprefix("serve-"))
        yield


@contextmanager
def preparing(instance: Path, *, wait: bool) -> Iterator[None]:
    """Alone with the instance folder. Raises SiteIsServed if it may not wait."""
    handle = os.open(instance / PREPARING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SiteIsServed("en préparation") from None
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
