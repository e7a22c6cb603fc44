"""The specimen's words, from brochure.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ...content_files import Folders, Table, parse_toml

BROCHURE_WORDS = "brochure.toml"

# Of each page, in order: its texts, and its lists of a name and a text.
_PAGES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cover": (("kind", "notice"), ()),
    "school": (("title", "lead", "text", "picture"), ("rows",)),
    "trades": (("title", "lead", "note"), ("rows",)),
    "programmes": (("title", "lead", "each", "intakes"), ()),
    "year": (("title", "lead"), ("rows",)),
    "ai": (("title", "lead", "text", "teaching", "glossary"), ("rows",)),
    "apply": (("title", "lead", "asked"), ("rows", "clap", "slate")),
    "meet": (("title", "lead", "text", "days", "code"), ()),
}
PAGE_COUNT = len(_PAGES)


@dataclass(frozen=True, kw_only=True)
class Words:
    """`issued` dates the file, so that the same words give the same one; `pages` is what the template reads."""

    issued: date
    pages: Mapping[str, Mapping[str, Any]]


def load_words(folders: Folders) -> Words:
    """Raises ContentError at the first mistake."""
    table = parse_toml(folders.label(BROCHURE_WORDS), folders.read(BROCHURE_WORDS))
    words = Words(issued=_day(table, "issued"), pages={name: _page(table.table(name), name) for name in _PAGES})
    table.finish()
    return words


def _day(table: Table, key: str) -> date:
    try:
        return date.fromisoformat(table.text(key))
    except ValueError:
        raise table.error(key, "une date comme 2027-01-31") from None


def _page(table: Table, name: str) -> dict[str, Any]:
    texts, lists = _PAGES[name]
    page: dict[str, Any] = {key: table.text(key) for key in texts}
    page |= {key: [_row(row) for row in table.tables(key)] for key in lists}
    table.finish()
    return page


def _row(table: Table) -> dict[str, str]:
    row = {"name": table.text("name", limit=60), "text": table.text("text")}
    table.finish()
    return row
