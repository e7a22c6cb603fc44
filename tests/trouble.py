"""SQLite files in trouble: on a disk that fills up, on one that turns read-only, or held locked."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from microsite.sqlite_engine import sqlite

_BLOCK = bytes(4096)
_DATABASE = "microsite.sqlite3"


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[None]:
    """Mounts a disk of its own on `folder`."""
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", folder)
    try:
        yield
    finally:
        _unmount(folder)


@contextmanager
def filled_up(disk: Path) -> Iterator[None]:
    """Not one block left, until the end of the `with`."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            _fill(file.fileno())
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """For root too, which file modes don't stop. What is open for writing already stays so, as in life."""
    # Made read-only where nobody looks, for it can't be once somebody has opened a file there for writing.
    aside = folder.with_name(f"{folder.name}-aside")
    aside.mkdir(exist_ok=True)
    _mount("--bind", folder, aside)
    try:
        _mount("-o", "remount,bind,ro", aside)
        _mount("--bind", aside, folder)
        try:
            yield
        finally:
            _unmount(folder)
    finally:
        _unmount(aside)


@contextmanager
def locked(instance: Path) -> Iterator[None]:
    """Holds the write lock from another connection."""
    with closing(sqlite.connect(instance / _DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def integrity(instance: Path) -> str:
    """What SQLite finds when it reads the whole file."""
    with closing(sqlite.connect(instance / _DATABASE)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def _fill(file: int) -> None:
    try:
        while True:
            os.write(file, _BLOCK)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def _mount(*arguments: str | Path) -> None:
    # Takes root, or a machine that lets its users mount.
    mounted = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")


def _unmount(folder: Path) -> None:
    # Lazy: the path changes at once, and files still open keep nothing from going.
    subprocess.run(["umount", "--lazy", folder], check=True)
