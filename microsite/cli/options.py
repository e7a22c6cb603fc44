"""Kinds of values that commands take: days and times as people in Paris write them."""

import re
import unicodedata
from datetime import date, datetime, time
from typing import Any

import click

from .. import school
from ..text import without_invisible
from ..web.fields import SECURE_URL, legible

_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_MOMENT = re.compile(r"(?P<day>[0-9/-]+)(?:(?:T| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}))?")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)


class Line(click.ParamType[str]):
    """One line of text of 1 to `limit` characters."""

    name = "TEXTE"

    def __init__(self, *, limit: int) -> None:
        self.limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = value.strip()
        if not text or len(text) > self.limit or legible(text) != unicodedata.normalize("NFC", text):
            self.fail(f"attendu un texte lisible de 1 à {self.limit} caractères.", param, ctx)
        return legible(text)


class Name(Line):
    """What somebody is called, without invisible signs."""

    name = "NOM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(without_invisible(value), param, ctx)


class SecureUrl(Line):
    """An address that people open: https alone, for it may let in whoever has it."""

    name = "HTTPS://…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        address = super().convert(value, param, ctx)
        if not SECURE_URL.fullmatch(address):
            self.fail(f"« {address} » : attendu une adresse qui commence par https://, sans espace.", param, ctx)
        return address


class Day(click.ParamType[date]):
    """A date, 2027-01-31 or 31/01/2027."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
            try:
                day = datetime.strptime(value, pattern).date()  # noqa: DTZ007  # a day has no zone
            except ValueError:
                continue
            if _FIRST_YEAR <= day.year <= _LAST_YEAR:
                return day
        return self.fail(f"« {value} » n’est pas une date comme 2027-01-31 ou 31/01/2027.", param, ctx)


class Hours(click.ParamType[tuple[time, time]]):
    """From when to when, 10:00-12:30."""

    name = "HH:MM-HH:MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[time, time]:
        if isinstance(value, tuple):
            return value
        match = _HOURS.fullmatch(value.replace(" ", ""))
        try:
            hours = (time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))) if match else None
        except ValueError:
            hours = None
        if hours is None:
            return self.fail(f"« {value} » n’est pas un horaire comme 10:00-12:30.", param, ctx)
        if hours[0] >= hours[1]:
            self.fail(f"« {value} » : la fin doit venir après le début.", param, ctx)
        return hours


class Moment(click.ParamType[datetime]):
    """A day, or a day and a time in Paris; a day alone is its beginning, or its end."""

    name = "DATE [HH:MM]"

    def __init__(self, *, ends_day: bool = False) -> None:
        self.ends_day = ends_day

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        match = _MOMENT.fullmatch(value.strip())
        if match is None:
            return self.fail(f"« {value} » n’est pas une date comme 2027-01-31, ou 2027-01-31 18:00.", param, ctx)
        day = Day().convert(match["day"], param, ctx)
        if match["hour"] is None:
            return school.day_ends(day) if self.ends_day else school.day_begins(day)
        try:
            at = time(int(match["hour"]), int(match["minute"]))
        except ValueError:
            return self.fail(f"« {value} » : attendu une heure de 00:00 à 23:59.", param, ctx)
        return paris_time(day, at)


def paris_time(day: date, at: time) -> datetime:
    """As school.paris_time(); raises click.BadParameter for the hour that clocks skip in spring."""
    try:
        return school.paris_time(day, at)
    except school.SkippedHour as error:
        raise click.BadParameter(f"{error}.") from None
