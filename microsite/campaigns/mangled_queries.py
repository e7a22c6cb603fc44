"""Queries as tools mangle them: `&` escaped or encoded, a second `?`, names in capitals, signs at the end of a value.

embeds/embed.js finds the parameters of the page around a frame by the same patterns; our server cleans their values.
"""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from .attribution import LIMIT, NAMES

# Names that are also words of other sites' addresses: they count only where a parameter begins anyway.
_WORDS = ("article", "theme")
# What tools add by themselves.
_CLICK_IDS = (
    "fbclid",
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "igshid",
    "mc_cid",
    "mc_eid",
    "srsltid",
)
# A percent sign, encoded up to three times more.
_PERCENT = "%(?:25){0,3}"
# What editors put into a name: Markdown's `\_`, a soft hyphen, spaces that don't break or show.
_INVISIBLE = "|".join(
    _PERCENT + _PERCENT.join(octets.split())
    for octets in ("C2 A0", "C2 AD", "E2 80 8[B-F]", "E2 80 AF", "E2 81 A0", "EF BB BF")
)
_INSIDE = rf"(?:\\|{_PERCENT}5C|{_INVISIBLE}){{0,3}}"
UNDERSCORE = rf"{_INSIDE}(?:_|{_PERCENT}5F){_INSIDE}"
# `utm_campaign[]=`, `utm_campaign =`.
_BEHIND = rf"(?:\\|[+\s]|\[[0-9]*\]|{_PERCENT}(?:20|5C|5B[0-9]*{_PERCENT}5D)|{_INVISIBLE}){{0,4}}"
_DISTINCT = "|".join((*(name for name in NAMES if name not in _WORDS), *_CLICK_IDS)).replace("_", UNDERSCORE)
_KNOWN = "|".join((_DISTINCT, *_WORDS))

# JSON's and JavaScript's escapes begin so: `\u0026`, `\x26`.
_ESCAPE = rf"(?:\\|{_PERCENT}5C)(?:u00|x)"
_ENCODED_SIGN = rf"(?:{_PERCENT}(?:26|3F|3B|23|2C|20)|{_ESCAPE}(?:26|3f))"
_ENTITY = rf"(?:amp|(?:#|{_PERCENT}23)(?:0{{0,3}}38|x26))(?:;|{_PERCENT}3B)"
# What may stand between the sign and the name: `&amp;amp;`, `%3F%26`, `& `.
_BETWEEN = rf"(?:{_ENTITY}|[?;#+\s]|{_ENCODED_SIGN}|{_INVISIBLE}){{0,4}}"
_BEGIN = rf"(?:(?:^|&){_BETWEEN}({_KNOWN})|(?:[?;#,+\s]|{_ENCODED_SIGN}){_BETWEEN}({_DISTINCT}))"
# For Python and JavaScript alike, whatever the case. The name of a parameter is the first or the second group.
PARAMETER = rf"{_BEGIN}{_BEHIND}(?:={{1,2}}|{_ESCAPE}3d)"
# The same with its `=` percent-encoded, as everything that follows then is.
ENCODED_PARAMETER = rf"{_BEGIN}{_BEHIND}{_PERCENT}3D"
# Where an address begins that a value is or holds: nothing behind it is ours.
_SLASHES = rf"(?:/|{_PERCENT}2F){{2}}"
_HOST = rf"(?:[\w-]{{1,63}}\.){{1,5}}[a-z]{{2,24}}(?::[0-9]{{1,5}})?(?:/|{_PERCENT}2F)"
ADDRESS_VALUE = (
    rf"https?(?::|{_PERCENT}3A){_SLASHES}|(?:=|{_PERCENT}3D)(?:[+\s]|{_PERCENT}20){{0,4}}(?:{_SLASHES}|{_HOST})"
)
_PARAMETER, _ENCODED_PARAMETER, _ADDRESS_VALUE, _UNDERSCORE = (
    re.compile(pattern, re.IGNORECASE) for pattern in (PARAMETER, ENCODED_PARAMETER, ADDRESS_VALUE, UNDERSCORE)
)
# As often as text is decoded: more than twice is no tool's mistake.
_LEVELS = 4
_ASCII_ESCAPE = re.compile("%([2-7][0-9A-F])", re.IGNORECASE)
# A second query, which isn't that of an address written as the value.
_SECOND_QUERY = re.compile(r"^((?:(?!//|%2F%2F)[^?])*)\?(?=[A-Z_][\w.-]{0,39}=)", re.IGNORECASE)
# `=` of quoted-printable, as mails are sent.
_QUOTED_PRINTABLE = re.compile("3D(?=[A-Za-z0-9%])")
# Markdown's escapes, in a value.
_BACKSLASH = re.compile(r"\\(?=[_*~\[\]()-])")
# Text whose percent signs all belong to an escape.
_ESCAPED = re.compile("(?:[^%]|%[0-9A-F]{2})*", re.IGNORECASE | re.DOTALL)
# Left as they are when everything else is percent-encoded.
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_OF_QUERY = _VISIBLE.replace("#", "").replace("\\", "")

# Signs that mail programs and messengers take along from the text around an address.
_STOPS = ".,;:"
# Signs that open and close: a closing one is taken off where nothing in the value opens it.
_PAIRS = ("([{<«‹“„„‘‚（［【「『《〈", ")]}>»›””“’‘）］】」』》〉")  # noqa: RUF001
_OPENING = {close: {begin for begin, end in zip(*_PAIRS, strict=True) if end == close} for close in _PAIRS[1]}
_SAME_BOTH_ENDS = "\"'`"
# Those of bold and struck text; `_` is a campaign's own.
_EMPHASIS = "*~"


@lru_cache(512)
def mend_query(query: str) -> str:
    """The same parameters, each behind a plain `&`, known names in lower case; a right query stays as it is."""
    query = quote(query, safe=_VISIBLE, encoding="latin-1", errors="replace")
    plain = "&".join(map(_plain, query.split("&"))).removeprefix("&")
    pieces = [piece if _ADDRESS_VALUE.search(piece) else _SECOND_QUERY.sub(r"\1&", piece) for piece in plain.split("&")]
    parameters = [piece.partition("=") for piece in "&".join(pieces).split("&")]
    return quote("&".join(_mend_parameters(parameters)), safe=_OF_QUERY)


def _plain(piece: str) -> str:
    """A piece between two `&`, with each known name behind a plain `&`."""
    decoded = _decode_encoded(piece)
    end = _end_of_ours(decoded)
    return _PARAMETER.sub(_begin_plainly, decoded[:end]).removeprefix("&") + decoded[end:]


def _end_of_ours(piece: str) -> int:
    match = _ADDRESS_VALUE.search(piece)
    return match.end() if match else len(piece)


def _decode_encoded(piece: str) -> str:
    """A piece between two `&`, with what was percent-encoded together with its `=` decoded as often as that was."""
    for _ in range(_LEVELS):
        match = _ENCODED_PARAMETER.search(piece, 0, _end_of_ours(piece))
        if match is None:
            break
        piece = piece[: match.start()] + _ASCII_ESCAPE.sub(lambda code: chr(int(code[1], 16)), piece[match.start() :])
    return piece


def _begin_plainly(match: re.Match[str]) -> str:
    return f"&{_UNDERSCORE.sub('_', match[1] or match[2]).lower()}="


def _mend_parameters(parameters: list[tuple[str, str, str]]) -> list[str]:
    campaign = [value for name, _, value in parameters if name.startswith("utm_") and value]
    is_quoted_printable = all(map(_QUOTED_PRINTABLE.match, campaign))
    filled = {name for name, _, value in parameters if unquote_plus(value).strip()}
    mended = []
    for name, equals, value in parameters:
        if name in filled and name in NAMES and not unquote_plus(value).strip():
            # The first of a name counts, and an empty one says nothing.
            continue
        if name.startswith("utm_"):
            mended.append(f"{name}={_mend_value(value.removeprefix('3D') if is_quoted_printable else value)}")
        else:
            mended.append(f"{name}{equals}{value}")
    return mended


def _mend_value(value: str) -> str:
    text = unquote_plus(value)
    kept = _strip_glued(_BACKSLASH.sub("", _decode_again(text)))
    return value if kept == text else quote_plus(kept)


def _decode_again(text: str) -> str:
    """Decode a value as often as it was encoded; not where a percent sign stands for itself, nor an address."""
    for _ in range(_LEVELS):
        if "%" not in text or not _ESCAPED.fullmatch(text) or _ADDRESS_VALUE.search(f"={text}"):
            break
        try:
            text = unquote(text, errors="strict")
        except UnicodeDecodeError:
            break
    return text


def _strip_glued(value: str) -> str:
    """The value without the signs at its end that belong to the text around the link; `!`, `?` and `…` are its own."""
    if "<" in value:
        # Markup, whose signs belong together.
        return value
    kept = value
    # Of a longer value the end isn't kept.
    while 0 < len(kept) <= 2 * LIMIT and _is_glued(kept):
        kept = kept[:-1]
    return kept or value


def _is_glued(value: str) -> bool:
    last = value[-1]
    if last in _STOPS or unicodedata.category(last) in ("Zs", "Zl", "Zp", "Cc", "Cf"):
        return True
    if last in _SAME_BOTH_ENDS:
        return value.count(last) % 2 == 1
    if last in _EMPHASIS:
        return value[0] != last
    if last == "’":
        # Also the apostrophe, which closes nothing: they can't be counted.
        return not _OPENING[last] & set(value)
    return last in _OPENING and not _is_opened(value, last)


def _is_opened(value: str, last: str) -> bool:
    closed = 0
    for sign in reversed(value[:-1]):
        if sign in _OPENING[last]:
            if not closed:
                return True
            closed -= 1
        elif sign == last:
            closed += 1
    return False
