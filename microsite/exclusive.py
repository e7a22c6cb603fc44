"""A lock that one process holds at a time, of all that share a database, and that is free again when it dies."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from .file_lock import lock

# The first half of the keys of our advisory locks on PostgreSQL, apart from those of other programs.
_NAMESPACE = 0x6D_73


def exclusive(engine: Engine, folder: Path, name: str) -> AbstractContextManager[bool]:
    """Try to take the lock for a `with`, whose target says whether it was free.

    SQLite has one server, whose processes lock a file of `folder`; PostgreSQL keeps an advisory lock for as long as the
    connection lasts, whichever server it comes from.
    """
    if engine.dialect.name == "sqlite":
        return _file_lock(folder / f"{name}.lock")
    return _advisory_lock(engine, name)


@contextmanager
def _file_lock(path: Path) -> Iterator[bool]:
    try:
        handle = lock(path, wait=False)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        os.close(handle)


@contextmanager
def _advisory_lock(engine: Engine, name: str) -> Iterator[bool]:
    values = {"namespace": _NAMESPACE, "name": name}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_held = connection.scalar(text("SELECT pg_try_advisory_lock(:namespace, hashtext(:name))"), values)
        try:
            yield bool(is_held)
        finally:
            if is_held:
                connection.execute(text("SELECT pg_advisory_unlock(:namespace, hashtext(:name))"), values)
