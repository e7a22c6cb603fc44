"""Choose the keys of a server that adopts a file: the file's, if they are the database's, and its own useful ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from ..db import db
from ..keys import ERASURE_FILE, FILE, FILES, Keys, KeyUnreadable, fingerprint, has_usual_shape, read_keys
from ..keys.fingerprints import State, compare, has_erasures, known_fingerprints
from ..privacy.erased_addresses import is_key_known
from ..web.context import utc_now

_OTHER_FILE = "ce fichier contient {}, et non {}. Rien n’a changé."
_CUT = "une clé de ce fichier est coupée : prenez le fichier entier. Rien n’a changé."
_NOT_THE_BASES = "ce fichier n’a pas la clé {} de la base. Rien n’a changé."
_OF_NO_USE = "la base ne connaît aucune clé de ce fichier, et n’a personne d’effacé à reconnaître. Rien n’a changé."
_UNKNOWN = (
    "La base ne connaît aucune clé de ce fichier, et aucune ne reconnaît quelqu’un dans la base. Gardée quand même, "
    "elle arrête les autres serveurs tant qu’ils n’ont pas pris le fichier d’ici."
)
_ODD = "La base ne connaît pas une clé de ce fichier, qui n’a pas les 64 signes d’une clé faite par le programme."


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """The keys that the server is to have, and what somebody has to answer for first, in French."""

    keys: Keys
    doubts: list[str]


def plan_adoption(instance: Path, name: str, given: Keys, own: Keys | None) -> Adoption:
    """Check the file and join this server's own keys to it. Raises ClickException for a file that is surely wrong."""
    others = _keys_of_other_files(instance, name)
    _check_file(name, given, own, others)
    if name == FILE:
        keys, doubts = given, []
    else:
        keys, doubts = _join(given, own, others), _doubts_of_unknown(given)
    if name == ERASURE_FILE and (in_use := _in_use(name, keys)):
        keys = keys.led_by(in_use, now=utc_now())
    elif compare(db.session(), name, keys) not in (State.NEW, State.SAME, State.AHEAD):
        raise click.ClickException(_NOT_THE_BASES.format(name))
    if not all(map(has_usual_shape, _unknown(name, given))):
        doubts.append(_ODD)
    return Adoption(keys=keys, doubts=doubts)


def _check_file(name: str, given: Keys, own: Keys | None, others: dict[str, Keys]) -> None:
    """Refuse another file's keys, and keys that are only a part of one."""
    for other in FILES:
        known = known_fingerprints(db.session(), other) if other != name else {}
        texts = others[other].texts if other in others else ()
        if any(fingerprint(other, key) in known or _is_in(key, texts) for key in given.texts):
            raise click.ClickException(_OTHER_FILE.format(other, name))
    if any(_is_cut(key, [*given.texts, *(own.texts if own else ())]) for key in given.texts):
        raise click.ClickException(_CUT)


def _join(given: Keys, own: Keys | None, others: dict[str, Keys]) -> Keys:
    """Keep what this server's own keys may recognise; not cut copies, nor another file's keys."""
    known = known_fingerprints(db.session(), ERASURE_FILE)
    # Without anybody on the list no key but the database's is of use.
    if own is None or not (has_erasures(db.session()) or fingerprint(ERASURE_FILE, own.current) in known):
        return given
    foreign = [key for keys in others.values() for key in keys.texts]
    useful = own.without([key for key in own.texts if _is_cut(key, given.texts) or _is_in(key, foreign)])
    return given.joined([useful] if useful else [], now=utc_now())


def _doubts_of_unknown(given: Keys) -> list[str]:
    """An unknown key is of use only to entries that another server made before the database knew of keys."""
    unknown = _unknown(ERASURE_FILE, given)
    if not known_fingerprints(db.session(), ERASURE_FILE) or len(unknown) < len(given.texts):
        return []
    if not has_erasures(db.session()):
        raise click.ClickException(_OF_NO_USE)
    return [] if is_key_known(db.session(), given) else [_UNKNOWN]


def _unknown(name: str, keys: Keys) -> list[str]:
    known = known_fingerprints(db.session(), name)
    return [key for key in keys.texts if fingerprint(name, key) not in known]


def _in_use(name: str, keys: Keys) -> str | None:
    """Return the database's key in use, if it is one of these."""
    known = known_fingerprints(db.session(), name)
    return next((key for key in keys.texts if known.get(fingerprint(name, key), ...) is None), None)


def _keys_of_other_files(instance: Path, name: str) -> dict[str, Keys]:
    found = {}
    for other in FILES:
        try:
            if other != name:
                found[other] = read_keys(instance, other)
        except (FileNotFoundError, KeyUnreadable):
            continue
    return found


def _is_in(key: str, texts: Iterable[str]) -> bool:
    return any(key in text for text in texts)


def _is_cut(key: str, texts: Iterable[str]) -> bool:
    return any(key != text and key in text for text in texts)
