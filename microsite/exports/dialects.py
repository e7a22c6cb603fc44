"""The two ways to write a CSV: for French Excel, and for programs."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

from ..leads.normalise import dialled_from_france
from ..school import PARIS

# What a spreadsheet takes for a formula, full-width signs included (OWASP, "CSV Injection"), and the spaces
# and unseen signs that it skips before.
_FORMULA = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@|＝＋－＠]|[\t\r\n]")


def harmless(text: str) -> str:
    """The text, behind an apostrophe if a spreadsheet could compute it."""
    return f"'{text}" if _FORMULA.match(text) else text


class Dialect(Protocol):
    """How each kind of value is written; None and the empty text give an empty cell."""

    delimiter: str
    encoding: str
    has_french_headings: bool
    guards_formulas: bool

    def time(self, moment: datetime | None) -> str: ...
    def slot(self, starts_at: datetime) -> str: ...
    def day(self, iso: str) -> str: ...
    def phone(self, e164: str | None) -> str: ...
    def yes_no(self, *, yes: bool) -> str: ...
    def named(self, key: str | None, labels: Mapping[Any, str]) -> str: ...


class ExcelFr:
    """Semicolons and a byte order mark, which French Excel needs to open the file with a double click."""

    delimiter = ";"
    encoding = "utf-8-sig"
    has_french_headings = True
    guards_formulas = True

    def time(self, moment: datetime | None) -> str:
        return moment.astimezone(PARIS).strftime("%d/%m/%Y %H:%M:%S") if moment else ""

    def slot(self, starts_at: datetime) -> str:
        return starts_at.astimezone(PARIS).strftime("%d/%m/%Y %H:%M")

    def day(self, iso: str) -> str:
        return date.fromisoformat(iso).strftime("%d/%m/%Y") if iso else ""

    def phone(self, e164: str | None) -> str:
        return harmless(dialled_from_france(e164)) if e164 else ""

    def yes_no(self, *, yes: bool) -> str:
        return "oui" if yes else "non"

    def named(self, key: str | None, labels: Mapping[Any, str]) -> str:
        # A key that has left school.toml since still says more than nothing.
        return labels.get(key, key) if key else ""


class Rfc4180:
    """RFC 4180 with ISO 8601 times, E.164 telephones and the keys that the database keeps."""

    delimiter = ","
    encoding = "utf-8"
    has_french_headings = False

    def __init__(self, *, guards_formulas: bool = False) -> None:
        self.guards_formulas = guards_formulas

    def time(self, moment: datetime | None) -> str:
        return moment.astimezone(PARIS).isoformat(timespec="seconds") if moment else ""

    def slot(self, starts_at: datetime) -> str:
        return self.time(starts_at)

    def day(self, iso: str) -> str:
        return iso

    def phone(self, e164: str | None) -> str:
        return e164 or ""

    def yes_no(self, *, yes: bool) -> str:
        return "true" if yes else "false"

    def named(self, key: str | None, labels: Mapping[Any, str]) -> str:  # keys are for programs
        return key or ""
