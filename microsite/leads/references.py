"""Short references that people can read out over the telephone: BRO-7F3K9Q. Drawn, and read however they are typed."""

import re
import secrets
import unicodedata

from ..text import letters
from .models import FormName

# No 0 or O, 1, I or L, no U: 30 signs, 729 million references a form.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_SIGNS = 6
PREFIXES = {FormName.BROCHURE: "BRO", FormName.OPEN_DAY: "JPO", FormName.APPLICATION: "CAN"}
# What is read of a text: a reference, or the address that its code holds, is shorter.
_READ = 300

_HYPHENS = r"\-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
_ALONE = re.compile(f"[{ALPHABET}]{{{_SIGNS}}}")
_WHOLE = re.compile(f"({'|'.join(PREFIXES.values())})({_ALONE.pattern})")
# With any hyphens and spaces, and the address that ends with it.
_WRITTEN = re.compile(
    rf"(?:\S*/)?(?<![^\W_])({'|'.join(PREFIXES.values())})([\s{_HYPHENS}]*)"
    rf"([{ALPHABET}](?:[\s{_HYPHENS}]*[{ALPHABET}]){{{_SIGNS - 1}}})(?![^\W_])(?:[/?#]\S*)?",
    re.IGNORECASE,
)

# A scanner that types as if on a US keyboard, on a computer set to AZERTY (France, Belgium, Mac): the key of each sign
# gives another one. Digits come from the upper row unshifted; with the capitals locked they are themselves.
_AZERTY = {
    "É": "2", '"': "3", "'": "4", "’": "4", "(": "5", "-": "6", "§": "6", "È": "7", "_": "8", "!": "8", "Ç": "9",
    "A": "Q", "Q": "A", "W": "Z", "Z": "W", "?": "M", ",": "M",
}  # fmt: skip
_ON_AZERTY = {typed: sign for typed, sign in _AZERTY.items() if sign in ALPHABET} | {
    sign: sign for sign in ALPHABET if sign not in "AMQWZ"
}
_PREFIXES_ON_AZERTY = {prefix.replace("A", "Q"): prefix for prefix in PREFIXES.values()}
# The hyphen's key gives « ) », or « ° » when shifted; an address's « / » gives « ! », on a Mac « = ».
_SCANNED = re.compile(
    rf"(?:\S*[!=])?(?<![^\W_])({'|'.join(_PREFIXES_ON_AZERTY)})[)°]([{re.escape(''.join(_ON_AZERTY))}]{{{_SIGNS}}})(?![^\W_])\S*",
    re.IGNORECASE,
)


def draw_reference(form: FormName) -> str:
    """A random reference; whether it is free is the database's to say."""
    drawn, signs = secrets.randbelow(len(ALPHABET) ** _SIGNS), ""
    for _ in range(_SIGNS):
        drawn, place = divmod(drawn, len(ALPHABET))
        signs += ALPHABET[place]
    return f"{PREFIXES[form]}-{signs}"


def references_in(text: str) -> tuple[list[str], str]:
    """The references that are plainly written in a text, as they are kept, and what else there is."""
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        signs = letters(match[3]).upper()
        if not match[2].strip() and signs.isalpha():
            # A name more often than a reference, as Can Gerard is: possible_references() says which one.
            return match[0]
        found.append(f"{match[1].upper()}-{signs}")
        return " "

    def take_scanned(match: re.Match[str]) -> str:
        signs = "".join(_ON_AZERTY[sign] for sign in match[2].upper())
        found.append(f"{_PREFIXES_ON_AZERTY[match[1].upper()]}-{signs}")
        return " "

    rest = _SCANNED.sub(take_scanned, _WRITTEN.sub(take, _printable(text[:_READ])))
    return found, rest


def possible_references(word: str) -> list[str]:
    """The references that a word of letters and digits may be: whole without its hyphen, or its six signs alone."""
    word = word.upper()
    whole = _WHOLE.fullmatch(word)
    if whole:
        return [f"{whole[1]}-{whole[2]}"]
    return [f"{prefix}-{word}" for prefix in PREFIXES.values()] if _ALONE.fullmatch(word) else []


def references_meant(text: str) -> list[str]:
    """Which reference a text that is nothing else may stand for, an address that ends with it included."""
    found, _ = references_in(text)
    return found[:1] or possible_references(letters(text[:_READ].rstrip("/ ").rpartition("/")[2]))


def _printable(text: str) -> str:
    """With plain letters and spaces (NFKC), and without invisible signs."""
    plain = (" " if char.isspace() else char for char in unicodedata.normalize("NFKC", text))
    return "".join(filter(str.isprintable, plain))
