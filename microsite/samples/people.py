"""People who don't exist: their names, addresses on reserved domains, numbers from the ranges kept for fiction."""

import random

from ..leads.services import Person
from ..text import fold
from .names import FIRST_NAMES, LAST_NAMES, PROGRAM_NAMES

# Nobody can receive anything there (RFC 2606, section 3).
_DOMAINS = ("example.org", "example.net", "example.com", "mail.example.org", "lycee.example.net", "famille.example.com")
# Ten thousand numbers each, kept for works of fiction (décision Arcep n° 2018-0881). The mobile ones, 06 39 98…, are
# left out: our forms take them for mistyped, as the library does.
_FICTION = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")
_SIGNS = "abcdefghijklmnopqrstuvwxyz"


def draw_person(rng: random.Random, number: int) -> Person:
    """The number makes the address nobody else's."""
    first, last = _skewed(rng, FIRST_NAMES), _skewed(rng, LAST_NAMES)
    return Person(first_name=first, last_name=last, email=_address(rng, first, last, number), phone=draw_phone(rng))


def draw_program(rng: random.Random, number: int) -> Person:
    first, last = rng.choice(PROGRAM_NAMES)
    return Person(first_name=first, last_name=last, email=_address(rng, first, last, number), phone=draw_phone(rng))


def draw_phone(rng: random.Random) -> str | None:
    """E.164; some people leave none."""
    if rng.random() < 0.3:
        return None
    return f"{rng.choice(_FICTION)}{rng.randrange(10_000):04}"


def draw_other_name(rng: random.Random, person: Person) -> tuple[str, str]:
    """Of somebody who shares the address: a parent mostly, with the same last name."""
    last = person.last_name if rng.random() < 0.7 else _skewed(rng, LAST_NAMES)
    return _skewed(rng, FIRST_NAMES), last


def _skewed(rng: random.Random, names: tuple[str, ...]) -> str:
    """The first ones are the usual ones."""
    return names[int(len(names) * rng.random() ** 1.6)]


def _address(rng: random.Random, first: str, last: str, number: int) -> str:
    given, family = (_plain(name) for name in (first, last))
    local = rng.choice((f"{given}.{family}.", f"{given[:1]}{family}", f"{given}{family[:1]}_", f"{family}-{given}"))
    return f"{local}{number}@{rng.choice(_DOMAINS)}"


def _plain(name: str) -> str:
    return "".join(sign for sign in fold(name) if sign in _SIGNS)
