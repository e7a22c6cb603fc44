"""By which words a lead is found: letters without case or accent, telephones as digits, addresses whole."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

# Longer ones are found by their beginning.
WORD_LIMIT = 100
NAME_KEY_LIMIT = 200
# Words of a search; each costs a look.
TERMS_LIMIT = 6
# Letters that Unicode doesn't decompose, as French keyboards write them.
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"})
_SEPARATORS = re.compile(r"[\W_]+")
_PHONE = re.compile(r"(?<!\w)(?:\+|00)?\(?\d(?:[\s.()/\u2010\u2011\u2013-]*\d){3,}(?!\w)")
# Country codes dialled nationally from France, with a 0 (normalise.py).
_FRENCH_CODES = ("33", "262", "590", "594", "596")


def fold(text: str) -> str:
    """The text without case, accents and what can't be printed."""
    if text.isascii() and text.isprintable():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in plain.casefold() if char.isprintable() and not unicodedata.combining(char))


def name_key(first_name: str, last_name: str) -> str:
    """What names are sorted by."""
    return " ".join(_pieces(f"{last_name} {first_name}"))[:NAME_KEY_LIMIT]


def words_of(*, first_name: str, last_name: str, email: str, phone: str | None) -> list[str]:
    """Each part of a name, and a compound one as a whole: Jean-Pierre is found as jean, pierre, jeanpierre.

    `phone` in E.164 is found as it is dialled from France, and from elsewhere.
    """
    words = {*_names(first_name), *_names(last_name), *_pieces(email.rpartition("@")[0]), fold(email)}
    if phone:
        digits = phone.lstrip("+")
        words |= {digits, *(f"0{digits.removeprefix(code)}" for code in _FRENCH_CODES if digits.startswith(code))}
    # In one order, so that two who add to one lead never wait for each other.
    return sorted({word[:WORD_LIMIT] for word in words if word})


def terms_in(search: str) -> list[str]:
    """Beginnings of words that somebody must have, all of them; none where nothing can be looked for."""
    phones = [re.sub(r"\D", "", match).removeprefix("00") for match in _PHONE.findall(search)]
    tokens = _PHONE.sub(" ", search).split()
    return [term[:WORD_LIMIT] for term in dict.fromkeys([*phones, *_terms(tokens)]) if term][:TERMS_LIMIT]


def _terms(tokens: Iterable[str]) -> Iterator[str]:
    for token in tokens:
        if "@" in token[1:]:
            yield fold(token)
        else:
            yield from _pieces(token)


def _names(name: str) -> set[str]:
    return {*_pieces(name), *("".join(_pieces(part)) for part in name.split())}


def _pieces(text: str) -> list[str]:
    return [piece for piece in _SEPARATORS.split(fold(text)) if piece]
