"""Prepare the server's keys at the start of a program: make the missing ones, and record what the database lacks."""

from contextlib import suppress
from pathlib import Path

from ..db import UNAVAILABLE, db, reading, writing
from . import FILE, FILES, make_key, read_keys
from .fingerprints import State, has_table, is_installed, record_keys, state_of


def make_missing_keys(instance: Path) -> None:
    """Make the keys of a new installation, and none where the database shows that a server has them. Raises OSError.

    Where the database can't be asked, make only secret_key, which `ops adopt-key` replaces without loss.
    """
    missing = [name for name in FILES if not (instance / name).exists()]
    if not missing:
        return
    try:
        with reading():
            if is_installed(db.session()):
                return
    except UNAVAILABLE:
        missing = [name for name in missing if name == FILE]
    for name in missing:
        make_key(instance / name)


def record_new_keys(instance: Path) -> None:
    """Record this server's keys where the database has its tables and no key of that name. Raises OSError.

    A database that takes no writes leaves it to the next program.
    """
    with suppress(*UNAVAILABLE):
        with reading():
            session = db.session()
            names = [name for name in FILES if has_table(session) and state_of(session, instance, name) is State.NEW]
        if not names:
            return
        with writing():
            for name in names:
                record_keys(db.session(), name, read_keys(instance, name))
