"""Which keys belong to the database, by their fingerprints: servers that share it must have the same.

A list of erased people is of use only with the keys it was made with, a mailed link only with the one that signed it.
"""

import shlex
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Index, String, UniqueConstraint, inspect, literal, select, table, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..db import Base, insert_into
from . import ERASURE_FILE, FILE, FILES, Keys, KeyUnreadable, fingerprint, read_keys

_IN_USE = text("replaced_at is null")
# The list of erased people (privacy/models.py, which stands above).
_ERASED = "erased_addresses"


class KeyFingerprint(Base):
    """Keep a key's fingerprint (keys.py); of each name one row is in use."""

    __tablename__ = "key_fingerprints"
    __table_args__ = (
        UniqueConstraint("name", "fingerprint"),
        # Of servers that start together on a new database the first one decides.
        Index("uq_key_fingerprints_in_use", "name", unique=True, sqlite_where=_IN_USE, postgresql_where=_IN_USE),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Its file's, in the instance folder.
    name: Mapped[str] = mapped_column(String(20))
    fingerprint: Mapped[str] = mapped_column(String(64))
    # None for the one in use.
    replaced_at: Mapped[datetime | None]


class State(StrEnum):
    """Say how a server's key file compares to the database's fingerprints of that name."""

    # The database has none of that name.
    NEW = "new"
    SAME = "same"
    # The server's key in use replaced the database's, which it keeps as an old one.
    AHEAD = "ahead"
    # The server's key in use is an old one of the database's.
    BEHIND = "behind"
    OTHER = "other"
    # An old key is missing, and with it the list entries that it made.
    INCOMPLETE = "incomplete"
    MISSING = "missing"
    UNREADABLE = "unreadable"


REFUSED = frozenset({State.OTHER, State.INCOMPLETE, State.MISSING, State.UNREADABLE})
_FAULTS = {
    State.BEHIND: "la clé {name} de ce serveur a été remplacée sur un autre",
    State.OTHER: "la clé {name} de ce serveur n’est pas celle de la base",
    State.INCOMPLETE: "{name}, sur ce serveur, n’a pas toutes les clés de la base",
    State.MISSING: "la clé {name} manque sur ce serveur",
    State.UNREADABLE: "la clé {name} de ce serveur est illisible",
}
_MEND = (
    "prenez le fichier sur un autre serveur : ssh AUTRE_SERVEUR cat {path} | flask ops adopt-key {name} - "
    "(perdue partout ? flask ops adopt-key --help)"
)


class KeyRefused(RuntimeError):
    """Refuse a server's key file; the text says what is wrong with it and which command mends it, in one line."""

    def __init__(self, instance: Path, name: str, state: State) -> None:
        self.state = state
        fault, mend = _FAULTS[state].format(name=name), _MEND.format(name=name, path=shlex.quote(str(instance / name)))
        super().__init__(f"{fault} ; {mend}")


def missing_signing_key(instance: Path) -> KeyRefused:
    """Return what to say where there is no secret_key to sign with."""
    return KeyRefused(instance, FILE, State.UNREADABLE if (instance / FILE).exists() else State.MISSING)


def is_installed(session: Session) -> bool:
    """Return whether the database shows that a server has its keys already."""
    return any(known_fingerprints(session, name) for name in FILES) or has_erasures(session)


def state_of(session: Session, instance: Path, name: str) -> State:
    """Compare this server's key file with the database. Raises OSError."""
    try:
        return compare(session, name, read_keys(instance, name))
    except FileNotFoundError:
        return State.MISSING
    except KeyUnreadable:
        return State.UNREADABLE


def key_faults(session: Session, instance: Path, *names: str) -> list[KeyRefused]:
    """Return what is wrong with this server's keys, BEHIND included, which stops nothing. Raises OSError."""
    states = {name: state_of(session, instance, name) for name in names}
    return [KeyRefused(instance, name, state) for name, state in states.items() if state in _FAULTS]


def compare(session: Session, name: str, keys: Keys) -> State:
    """Compare keys with the database's fingerprints of that name."""
    known = known_fingerprints(session, name)
    in_use = next((one for one, replaced_at in known.items() if replaced_at is None), None)
    own = [fingerprint(name, key) for key in keys.texts]
    if in_use is None:
        return State.NEW
    if own[0] not in known and in_use not in own:
        return State.OTHER
    if name == ERASURE_FILE and not known.keys() <= set(own):
        return State.INCOMPLETE
    if own[0] == in_use:
        return State.SAME
    return State.BEHIND if own[0] in known else State.AHEAD


def check_keys(session: Session, instance: Path, *names: str) -> None:
    """Record this server's keys where the database has none, or older ones; callers commit.

    Raises KeyRefused for another server's, OSError.
    """
    # A database that waits for its migration has no fingerprints, and takes none.
    is_kept = has_table(session)
    for name in names:
        if is_kept and state_of(session, instance, name) in (State.NEW, State.AHEAD):
            record_keys(session, name, read_keys(instance, name))
        # Asked again: another server may have come first.
        state = state_of(session, instance, name)
        if state in REFUSED:
            raise KeyRefused(instance, name, state)
        if is_kept and name == ERASURE_FILE:
            _add_old(session, name, read_keys(instance, name))


def record_keys(session: Session, name: str, keys: Keys) -> None:
    """Add the keys' fingerprints, the first as the one in use unless another server recorded its own before."""
    old = {fingerprint(name, one.key): one.replaced_at for one in keys.old}
    for known, replaced_at in known_fingerprints(session, name).items():
        if replaced_at is None and known in old:
            row = (KeyFingerprint.name == name) & (KeyFingerprint.fingerprint == known)
            session.execute(update(KeyFingerprint).where(row).values(replaced_at=old[known]))
    if _insert(session, name, fingerprint(name, keys.current), None):
        _add_old(session, name, keys)


def replace_keys(session: Session, name: str, keys: Keys) -> None:
    """Make these keys the only ones of that name; rows that are right already stay as they are."""
    wanted: dict[str, datetime | None] = {fingerprint(name, one.key): one.replaced_at for one in keys.old}
    wanted[fingerprint(name, keys.current)] = None
    for row in session.scalars(select(KeyFingerprint).where(KeyFingerprint.name == name)).all():
        if (row.fingerprint, row.replaced_at) not in wanted.items():
            session.delete(row)
    session.flush()
    for known, replaced_at in wanted.items():
        _insert(session, name, known, replaced_at)


def known_fingerprints(session: Session, name: str) -> dict[str, datetime | None]:
    """Return fingerprints with the moment each was replaced; none if the database waits for its migration."""
    if not has_table(session):
        return {}
    found = select(KeyFingerprint.fingerprint, KeyFingerprint.replaced_at).where(KeyFingerprint.name == name)
    return dict(session.execute(found).all())


def has_erasures(session: Session) -> bool:
    """Return whether the list of erased people has an entry: each was made with some server's key."""
    is_there = inspect(session.connection()).has_table(_ERASED)
    return is_there and session.scalar(select(literal(1)).select_from(table(_ERASED)).limit(1)) is not None


def has_table(session: Session) -> bool:
    return inspect(session.connection()).has_table(KeyFingerprint.__tablename__)


def _add_old(session: Session, name: str, keys: Keys) -> None:
    for one in keys.old:
        _insert(session, name, fingerprint(name, one.key), one.replaced_at)


def _insert(session: Session, name: str, known: str, replaced_at: datetime | None) -> bool:
    """Return whether the row was added: neither it nor, for a key in use, another one in use was there."""
    values = {"name": name, "fingerprint": known, "replaced_at": replaced_at}
    added = insert_into(session, KeyFingerprint).values(values).on_conflict_do_nothing()
    return bool(session.execute(added.returning(KeyFingerprint.id)).first())
