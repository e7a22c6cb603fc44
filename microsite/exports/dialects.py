"""The two ways to write a CSV: for French Excel, and for programs."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from ..formatters import PARIS
from ..leads.phones import dialled_from_france
from .excel_cells import SUSPECT, as_text, is_of_figures, is_rewritten

# What a spreadsheet takes for a formula, full-width signs included (OWASP, "CSV Injection"), and the spaces
# and unseen signs that it skips before.
_BEGINNING = r"[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@|＝＋－＠]|[\t\r\n]"
_FORMULA = re.compile(_BEGINNING)
_ANY_FORMULA = re.compile(rf"\0(?:{_BEGINNING})")
_SUSPECT = re.compile(SUSPECT)
_ANY_FORMULA_OR_SUSPECT = re.compile(rf"\0(?:{_BEGINNING}|{SUSPECT})")


def harmless(text: str) -> str:
    """The text, behind an apostrophe if a spreadsheet could compute it."""
    return f"'{text}" if _FORMULA.match(text) else text


def all_harmless(texts: Sequence[str]) -> Sequence[str]:
    """Each of them made harmless(). Hardly any ever is a formula, hence one look at all of them first."""
    return [harmless(text) for text in texts] if _ANY_FORMULA.search("\0".join(("", *texts))) else texts


def _kept_by_excel(text: str) -> str:
    """The text as Excel shows it unchanged and computes nothing of it."""
    if _SUSPECT.match(f"{text}\0") and is_rewritten(text):
        return as_text(text)
    guarded = harmless(text)
    # The apostrophe would show before -5.
    return as_text(text) if guarded != text and is_of_figures(text) else guarded


class Dialect(Protocol):
    """How each kind of value is written; None and the empty text give an empty cell.

    `typed` is for texts that come from outside.
    """

    delimiter: str
    encoding: str
    has_french_headings: bool

    def typed(self, texts: Sequence[str]) -> Sequence[str]: ...
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

    def typed(self, texts: Sequence[str]) -> Sequence[str]:
        # Most columns hold few texts many times, and nothing that Excel would change.
        distinct = set(texts)
        if not _ANY_FORMULA_OR_SUSPECT.search("\0".join(("", *distinct, ""))):
            return texts
        kept = {text: _kept_by_excel(text) for text in distinct}
        return [kept[text] for text in texts]

    def time(self, moment: datetime | None) -> str:
        if moment is None:
            return ""
        at = moment.astimezone(PARIS)
        # Several times as quick as strftime(), which a million rows would call two million times.
        return f"{at.day:02}/{at.month:02}/{at.year:04} {at.hour:02}:{at.minute:02}:{at.second:02}"

    def slot(self, starts_at: datetime) -> str:
        # Without the seconds.
        return self.time(starts_at)[:-3]

    def day(self, iso: str) -> str:
        if not iso:
            return ""
        day = date.fromisoformat(iso)
        return f"{day.day:02}/{day.month:02}/{day.year:04}"

    def phone(self, e164: str | None) -> str:
        return _kept_by_excel(dialled_from_france(e164)) if e164 else ""

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
        self._guards_formulas = guards_formulas

    def typed(self, texts: Sequence[str]) -> Sequence[str]:
        return all_harmless(texts) if self._guards_formulas else texts

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


# For the screens. A spreadsheet opens either of them: formulas are guarded in both.
DIALECTS: Mapping[str, Dialect] = {"excel-fr": ExcelFr(), "rfc4180": Rfc4180(guards_formulas=True)}
