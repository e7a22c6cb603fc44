"""French typography: the spaces and apostrophes that a keyboard doesn't give.

Rules: Imprimerie nationale, « Lexique des règles typographiques » (narrow no-break space before ; ! ?, no-break
space before a colon, inside guillemets and before a unit, thin space between thousands). They are rules for sentences:
addresses, of pages or of mailboxes, and the tags of HTML stay as they are.
"""

import re

from flask import Flask
from markupsafe import Markup

NBSP = "\N{NO-BREAK SPACE}"
NARROW = "\N{NARROW NO-BREAK SPACE}"

_RULES = (
    (re.compile(r"\.\.\."), "…"),
    (re.compile(r"(?<=\w)'"), "’"),
    (re.compile(r" (?=[;!?])"), NARROW),
    (re.compile(r" (?=[:»%€])"), NBSP),
    (re.compile(r"« "), f"«{NBSP}"),
    (re.compile(r"(?<=\d) (?=\d{3}(?!\d))"), NARROW),
    (re.compile(r"(?<=\d) (?=h\b)|(?<=\d h) (?=\d)"), NBSP),
)
# Parts of words that are addresses: of pages, with their scheme or without (`a.fr?b`, `10.0.0.1/b`, `intranet/b`), and
# of mailboxes. « l'un/l'autre » is none, for a host's name has no apostrophe before it.
_ADDRESSES = (
    r"://|@|\bwww\.",
    r"\b[a-z][a-z0-9+.-]{1,30}:[^\s<>]",
    r"(?:\w\.[^\W\d]{2,24}|\b\d{1,3}(?:\.\d{1,3}){3})(?:[/?#]|:\d)",
    r"(?<![\w'’.-])[a-z][a-z0-9-]{1,62}/",
)
# Tags with their attributes, and words that hold an address.
_LEFT_ALONE = re.compile(
    rf"(<[/!a-z][^<>]*>|(?<![^\s<>])(?=[^\s<>]*(?:{'|'.join(_ADDRESSES)}))[^\s<>]+)",
    re.IGNORECASE,
)


def init_app(app: Flask) -> None:
    app.jinja_env.filters["french"] = _french_filter


def _french_filter(text: str) -> str:
    # What a template has already escaped stays so.
    return Markup(french(str(text))) if isinstance(text, Markup) else french(text)  # noqa: S704  # was markup already


def french(text: str) -> str:
    """The text with the right spaces and apostrophes; text that has them already comes back unchanged."""
    sentences_and_addresses = _LEFT_ALONE.split(text)
    sentences_and_addresses[::2] = map(_set_right, sentences_and_addresses[::2])
    return "".join(sentences_and_addresses)


def _set_right(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
