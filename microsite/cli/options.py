"""Kinds of values that commands take: days and times as people in Paris write them."""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click

from ..school import PARIS
from ..web.fields import legible

_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)


class Line(click.ParamType[str]):
    """One line of text, not empty, of `limit` characters at most."""

    name = "TEXTE"

    def __init__(self, *, limit: int) -> None:
        self.limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = value.strip()
        if not text or len(text) > self.limit or legible(text) != unicodedata.normalize("NFC", text):
            self.fail(f"attendu un texte lisible de 1 à {self.limit} caractères.", param, ctx)
        return legible(text)


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


def paris_time(day: date, at: time) -> datetime:
    """The moment, in UTC, when clocks in Paris show this; the first of the two in the night they go back.

    Raises click.BadParameter for the hour that they skip in spring.
    """
    moment = datetime.combine(day, at, tzinfo=PARIS).astimezone(UTC)
    if moment.astimezone(PARIS).replace(tzinfo=None) != datetime.combine(day, at):
        raise click.BadParameter(f"le {day:%d/%m/%Y}, il n’est jamais {at:%H:%M} à Paris (passage à l’heure d’été).")
    return moment


def day_begins(day: date) -> datetime:
    return paris_time(day, time())


def day_after_begins(day: date) -> datetime:
    return day_begins(day + timedelta(days=1))
