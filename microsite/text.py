"""Names and searches compared and sorted: one folding, one French collation, and what is invisible taken out."""

import unicodedata

# Letters that Unicode doesn't decompose.
_LETTERS = {
    "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "n",
    "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ə": "e", "ɛ": "e", "ɔ": "o", "\u0131": "i",
}  # fmt: skip
# Apostrophes that Unicode counts as letters.
_APOSTROPHES = dict.fromkeys("\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\ua78b\ua78c", "'")
_PLAIN = str.maketrans(_LETTERS | _APOSTROPHES)
# Marks that show nothing: the grapheme joiner, Khmer vowels that aren't written, what chooses among the shapes of the
# sign before.
_UNSEEN_MARKS = frozenset(map(chr, (0x34F, 0x17B4, 0x17B5, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
# The shape of emoji, after a symbol or before a keycap.
_EMOJI_SHAPE, _KEYCAP = "\ufe0f", "\u20e3"
_ACUTE, _GRAVE = "\u0301", "\u0300"
_ACUTE_FIRST = str.maketrans({_ACUTE: _GRAVE, _GRAVE: _ACUTE})

# Signs that show nothing though Unicode counts them as letters or symbols: fillers and the empty braille pattern.
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# They make a text read as another one (Unicode TR 36, section 2.5): told, not taken out in silence.
_OVERRIDES = frozenset("\u202d\u202e")
_JOINERS = frozenset("\u200c\u200d")
_KEPT_IN_PLACE = _JOINERS | {_EMOJI_SHAPE}
# Letters without case, marks, symbols: scripts (Persian, Hindi…) and emoji in which joiners change what is seen.
_JOINED = frozenset({"Lo", "Mn", "Mc", "So", "Sk"})


def fold(text: str) -> str:
    """The text without case, accents, ligatures and what can't be printed."""
    if text.isascii() and text.isprintable():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_PLAIN)
    return "".join(char for char in plain if char.isprintable() and not _is_accent(char))


def words(text: str) -> list[str]:
    """The words of a text, folded: what apostrophes, hyphens, spaces and any other sign part."""
    return "".join(char if _is_of_a_word(char) else " " for char in fold(text)).split()


def letters(text: str) -> str:
    """The text folded, written as one word: « Le Bœuf », « Lebœuf » and « LE-BOEUF » are the same."""
    return "".join(words(text))


def sort_key(*names: str) -> str:
    """What names are sorted by, in French order; to be compared by code points, as both engines and Python can.

    Letters and digits first, of each name in turn; then accents, from the left as CLDR's French has it (Canada alone
    compares them from the right); then case, small letters first, with apostrophes, hyphens and spaces.
    """
    accents = (unicodedata.normalize("NFD", name.casefold()).translate(_ACUTE_FIRST) for name in names)
    levels = (
        *map(letters, names),
        *("".join(filter(_is_of_a_word, accented)) for accented in accents),
        *("".join(filter(str.isprintable, name)).swapcase() for name in names),
    )
    return " ".join(levels)


def without_invisible(text: str) -> str:
    """The text composed, with plain spaces, and without what nobody sees but what a script or an emoji needs."""
    if text.isascii():
        return text
    seen = [
        " " if unicodedata.category(char) == "Zs" else char
        for char in unicodedata.normalize("NFC", text)
        if _is_seen(char) or char in _KEPT_IN_PLACE
    ]
    return "".join(char for at, char in enumerate(seen) if char not in _KEPT_IN_PLACE or _is_needed(seen, at))


def _is_accent(char: str) -> bool:
    return unicodedata.combining(char) != 0 or char in _UNSEEN_MARKS


def _is_of_a_word(char: str) -> bool:
    # Vowels of Indic scripts are marks.
    return char.isalnum() or unicodedata.category(char) in ("Mn", "Mc")


def _is_seen(char: str) -> bool:
    return char in _OVERRIDES or not (unicodedata.category(char) == "Cf" or char in BLANKS or char in _UNSEEN_MARKS)


def _is_needed(seen: list[str], at: int) -> bool:
    if seen[at] == _EMOJI_SHAPE:
        before, after = "".join(seen[at - 1 : at]), "".join(seen[at + 1 : at + 2])
        return after == _KEYCAP or (before != "" and unicodedata.category(before) in ("So", "Sk"))
    around = seen[at - 1 : at] + seen[at + 1 : at + 2]
    return len(around) == 2 and all(unicodedata.category(char) in _JOINED for char in around)
