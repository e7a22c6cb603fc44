"""Erase people, and the exports that may hold them: for commands and screens alike (RGPD, article 17).

Across exports and privacy; what is in the database is erased by privacy/erasure.py.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from .exports.preparing import Workshop, folder_of, sweep
from .exports.requests import begin_anew
from .keys import Keys
from .privacy.cleanup import clean_up
from .privacy.erasure import ErasedRows, erase_person, reapply_erasures
from .school import School


def erase(session: Session, address: str, *, key: Keys, now: datetime) -> ErasedRows:
    """Erase this address's owner, and begin exports anew. Callers commit, then clean()."""
    erased = erase_person(session, address, key=key, now=now)
    begin_anew(session)
    return erased


def erase_again(session: Session, *, key: Keys, now: datetime) -> ErasedRows:
    """Erase whom a restore brought back that lacked one of the keys. Callers commit, then clean()."""
    erased = reapply_erasures(session, key=key, now=now)
    if erased:
        begin_anew(session)
    return erased


def clean(instance_path: Path, school: School, *, clock: Callable[[], datetime]) -> bool:
    """Remove the files that may hold who was erased; return whether nothing is left. Ends the session's transaction.

    The background worker removes what is left (privacy/cleanup.py).
    """
    sweep(Workshop(folder=folder_of(instance_path), school=school, clock=clock))
    return clean_up(instance_path, now=clock())
