"""By which words a lead is found: letters without case or accent, telephones as digits, addresses whole."""

import re
from collections.abc import Iterable, Iterator
from unicodedata import category

import idna

from ..text import fold, sort_key
from ..text import words as words_in
from .phones import dialled_digits

# Longer ones are found by their beginning.
WORD_LIMIT = 100
NAME_KEY_LIMIT = 200
# Words of a search; each costs a look.
TERMS_LIMIT = 6
_PHONE = re.compile(r"(?<!\w)(?:\+|00)?\(?\d(?:[\s.()/\u2010\u2011\u2013-]*\d){3,}(?!\w)")


def name_key(first_name: str, last_name: str) -> str:
    """What names are sorted by."""
    return sort_key(last_name, first_name)[:NAME_KEY_LIMIT]


def words_of(*, first_name: str, last_name: str, email: str, phone: str | None) -> list[str]:
    """Each part of a name with all that follows it: « de la Tour » as delatour, latour and tour.

    A search asks for the beginning of a word: so it finds each part, and parts that are written as one. `phone` in
    E.164 is found as it is dialled at home, and from elsewhere.
    """
    words = {*_run_on(first_name), *_run_on(last_name), *words_in(email.rpartition("@")[0]), fold(email)}
    if phone:
        words |= dialled_digits(phone)
    # In one order, so that two who add to one lead never wait for each other.
    return sorted({word[:WORD_LIMIT] for word in words if word})


def terms_in(search: str) -> list[str]:
    """Beginnings of words that somebody must have, all of them; none where nothing can be looked for."""
    # Numbers copied from a contact list come wrapped in invisible direction signs.
    search = "".join(char for char in search if category(char) != "Cf")
    phones = [_dialled(match) for match in _PHONE.findall(search)]
    tokens = _PHONE.sub(" ", search).split()
    return [term[:WORD_LIMIT] for term in dict.fromkeys([*phones, *_terms(tokens)]) if term][:TERMS_LIMIT]


def _dialled(number: str) -> str:
    if number.startswith(("+", "00")):
        # As in +33 (0)6: dialled at home alone.
        number = number.replace("(0)", "")
    return re.sub(r"\D", "", number).removeprefix("00")


def _terms(tokens: Iterable[str]) -> Iterator[str]:
    for token in tokens:
        if "@" in token[1:]:
            yield fold(_in_own_letters(token))
        else:
            yield from words_in(token)


def _in_own_letters(email: str) -> str:
    """The address as it is kept: mails, and programs that read them, show bücher.example as xn--bcher-kva.example."""
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{idna.decode(domain)}"
    except idna.IDNAError:
        # Not a whole domain yet, or none.
        return email


def _run_on(name: str) -> list[str]:
    parts = words_in(name)
    return ["".join(parts[at:]) for at in range(len(parts))]
