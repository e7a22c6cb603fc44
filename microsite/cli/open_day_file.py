"""A CSV of open days as a spreadsheet saves it: encodings, separators, headings, and each line's cells."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import click

from ..open_days.models import ONLINE, PLACE_LIMIT, TEXT_LIMIT, TITLE_LIMIT, URL_LIMIT
from ..open_days.plan_words import CAPACITY_LEAST, CAPACITY_MOST, TITLE, until_it_begins
from ..open_days.planning import DayPlan, SlotPlan
from .french_text import SEPARATOR_LINE, Decoded, Garbled, Unsure, decode
from .options import Day, Hours, Line, Moment, SecureUrl, paris_time

HEADINGS = {
    "title": "Titre",
    "place": "Lieu",
    "access": "Accès",
    "description": "Description",
    "online_url": "Lien en ligne",
    "on": "Date",
    "starts": "Début",
    "ends": "Fin",
    "capacity": "Places",
    "opens": "Ouverture des inscriptions",
    "closes": "Clôture des inscriptions",
}
_REQUIRED = ("on", "starts", "ends", "capacity")
_LARGEST_FILE = 5_000_000
# .xlsx and .ods, .xls.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_AS_CSV = "enregistrez-le depuis le tableur en « CSV UTF-8 », puis recommencez"
# 10:00, 10:00:00, 10h, 10 h 30.
_TIME = re.compile(r"([0-9]{1,2})\s*[h:]\s*([0-9]{2})?(?::00)?", re.IGNORECASE)
# LibreOffice shows, and so saves, years of two digits and times with seconds.
_SHORT_YEAR = re.compile(r"^([0-9]{1,2}/[0-9]{1,2}/)([0-9]{2})(?![0-9])")
_SECONDS = re.compile(r"([0-9]:[0-9]{2}):00$")


class Unreadable(ValueError):
    """Not a CSV of open days; the text says what to do."""


# A line's number, and what to correct there.
Mistake = tuple[int, str]


@dataclass(frozen=True, kw_only=True)
class PlannedLine:
    """`number` is the line's in the spreadsheet, its headings being the first."""

    number: int
    on: date
    day: DayPlan
    slot: SlotPlan


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The lines that can be understood, and what is to be said of the others; `encoding` is a key of ENCODINGS."""

    lines: list[PlannedLine]
    mistakes: list[Mistake]
    encoding: str


def read_sheet(content: bytes, encoding: str | None = None) -> Sheet:
    """Read a CSV in the encoding that is named, or in the one that its letters tell. Raises Unreadable."""
    lines: list[PlannedLine] = []
    mistakes: list[Mistake] = []
    decoded = _decode(content, encoding)
    for number, cells in _rows(SEPARATOR_LINE.sub("", decoded.text, count=1)):
        line = _read_line(number, cells)
        if isinstance(line, PlannedLine):
            lines.append(line)
        else:
            mistakes += [(number, mistake) for mistake in line]
    if not (lines or mistakes):
        raise Unreadable("il n’y a aucun créneau sous la ligne de titres")
    return Sheet(lines=lines, mistakes=mistakes, encoding=decoded.name)


def _decode(content: bytes, encoding: str | None) -> Decoded:
    if len(content) > _LARGEST_FILE or content.startswith(_WORKBOOKS):
        raise Unreadable(f"ce n’est pas un fichier CSV ; {_AS_CSV}")
    try:
        decoded = decode(content, headings=tuple(HEADINGS.values()), name=encoding)
    except UnicodeError:
        raise Unreadable(f"ses caractères ne se lisent pas ainsi ; {_AS_CSV}") from None
    except Unsure as doubt:
        raise Unreadable(
            f"ses caractères ne se lisent pas avec certitude : {doubt} ; {_AS_CSV}. "
            "Si vous connaissez son codage, nommez-le par --encoding"
        ) from None
    except Garbled as word:
        raise Unreadable(
            f"un programme a changé ses accents en l’enregistrant : {word}. Reprenez le fichier d’origine ; {_AS_CSV}"
        ) from None
    if "\0" in decoded.text:
        raise Unreadable(f"ce n’est pas un fichier CSV ; {_AS_CSV}")
    return decoded


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and cells, by the keys of HEADINGS, of each line that isn't empty."""
    first = text.splitlines()[0] if text else ""
    # « Texte Unicode » has tabs.
    delimiter = max(";\t,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        keys = _keys(next(reader, []))
        for number, row in enumerate(reader, start=2):
            if len(row) > len(keys) and any(cell.strip() for cell in row[len(keys) :]):
                raise Unreadable(f"ligne {number} : elle a plus de cases que la ligne de titres")
            cells = {key: cell.strip() for key, cell in zip(keys, row, strict=False)}
            if any(cells.values()):
                yield number, {key: cells.get(key, "") for key in HEADINGS}
    except csv.Error:
        raise Unreadable(f"les guillemets ne vont pas par deux, vers la ligne {reader.line_num}") from None


def _keys(headings: list[str]) -> list[str]:
    known = {_plain(heading): key for key, heading in HEADINGS.items()}
    # Empty columns at the end are usual.
    while headings and not headings[-1].strip():
        headings = headings[:-1]
    unknown = [heading for heading in headings if _plain(heading) not in known]
    if not headings or len(unknown) == len(headings):
        raise Unreadable(f"la première ligne doit porter les titres des colonnes : {', '.join(HEADINGS.values())}")
    if unknown:
        raise Unreadable(f"colonne inconnue : « {unknown[0].strip()} » ; attendu {', '.join(HEADINGS.values())}")
    keys = [known[_plain(heading)] for heading in headings]
    missing = [HEADINGS[key] for key in _REQUIRED if key not in keys]
    if missing:
        raise Unreadable(f"il manque une colonne : {', '.join(missing)}")
    twice = next((HEADINGS[key] for key in keys if keys.count(key) > 1), None)
    if twice:
        raise Unreadable(f"la colonne « {twice} » est là deux fois")
    return keys


def _plain(heading: str) -> str:
    """Without case and accents, which people leave out."""
    letters = unicodedata.normalize("NFKD", heading.casefold())
    return " ".join("".join(char for char in letters if not unicodedata.combining(char)).split())


def _read_line(number: int, cells: dict[str, str]) -> PlannedLine | list[str]:
    mistakes: list[str] = []

    def read(key: str, convert: Callable[[str], Any], default: Any = None) -> Any:
        if not cells[key]:
            if key in _REQUIRED:
                mistakes.append(f"{HEADINGS[key]} : cette case est vide.")
            return default
        try:
            return convert(cells[key])
        except click.BadParameter as error:
            mistakes.append(f"{HEADINGS[key]} : {error.message}")
            return default

    online_url = read("online_url", _typed(SecureUrl(limit=URL_LIMIT)), "")
    day = DayPlan(
        title=read("title", _text(TITLE_LIMIT), TITLE),
        place=read("place", _text(PLACE_LIMIT), ONLINE if online_url else ""),
        access=read("access", _text(TEXT_LIMIT), ""),
        description=read("description", _text(TEXT_LIMIT), ""),
        online_url=online_url,
    )
    if not cells["place"] and not cells["online_url"]:
        mistakes.append("Lieu : dites où venir, ou donnez un lien en ligne.")
    on, capacity = read("on", _day), read("capacity", _capacity)
    starts, ends = read("starts", _time), read("ends", _time)
    opens, closes = read("opens", _moment(Moment())), read("closes", _moment(Moment(ends_day=True)))
    if mistakes:
        return mistakes
    try:
        start, end = Hours().convert(f"{starts}-{ends}", None, None)
        starts_at, ends_at = paris_time(on, start), paris_time(on, end)
    except click.BadParameter as error:
        return [f"Début : {error.message}"]
    closes_at = until_it_begins(closes, starts_at)
    slot = SlotPlan(starts_at=starts_at, ends_at=ends_at, capacity=capacity, opens_at=opens, closes_at=closes_at)
    return PlannedLine(number=number, on=on, day=day, slot=slot)


def _typed(kind: click.ParamType[Any]) -> Callable[[str], Any]:
    return lambda text: kind.convert(text, None, None)


def _text(limit: int) -> Callable[[str], str]:
    # A line break inside a cell parts words.
    return lambda text: Line(limit=limit).convert(re.sub(r"\s*[\r\n\t]+\s*", " ", text), None, None)


def _day(text: str) -> date:
    return Day().convert(_SHORT_YEAR.sub(r"\g<1>20\2", text), None, None)


def _capacity(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,5}", text) and CAPACITY_LEAST <= int(text) <= CAPACITY_MOST):
        raise click.BadParameter(f"« {text} » n’est pas un nombre entier de {CAPACITY_LEAST} à {CAPACITY_MOST}.")
    return int(text)


def _moment(kind: Moment) -> Callable[[str], Any]:
    return lambda text: kind.convert(_SECONDS.sub(r"\1", _SHORT_YEAR.sub(r"\g<1>20\2", text)), None, None)


def _time(text: str) -> str:
    match = _TIME.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        raise click.BadParameter(f"« {text} » n’est pas une heure comme 10:00.")
    return f"{match[1]}:{match[2] or '00'}"
