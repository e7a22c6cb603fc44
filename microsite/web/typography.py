"""French typography: the spaces and apostrophes that a keyboard doesn't give.

Rules: Imprimerie nationale, « Lexique des règles typographiques » (narrow no-break space before ; ! ?, no-break
space before a colon, inside guillemets and before a unit, thin space between thousands).
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


def init_app(app: Flask) -> None:
    app.jinja_env.filters["french"] = _french_filter


def _french_filter(text: str) -> str:
    # What a template has already escaped stays so.
    return Markup(french(str(text))) if isinstance(text, Markup) else french(text)  # noqa: S704  # was markup already


def thousands(number: int) -> str:
    """« 4 000 », its space made narrow and unbreakable by french()."""
    return f"{number:,}".replace(",", " ")


def french(text: str) -> str:
    """The text with the right spaces and apostrophes; text that has them already comes back unchanged."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
