"""What belongs to the running application: its settings, its school, and dates as French readers write them."""

from datetime import UTC, date, datetime
from typing import cast

from flask import Flask, current_app
from jinja2 import StrictUndefined

from ..config import Settings
from ..school import PARIS, School

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905
)


def init_app(app: Flask) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals["school"] = app.extensions["school"]
    app.jinja_env.filters["french_date"] = french_date


def current_school() -> School:
    return cast(School, current_app.extensions["school"])


def current_settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def utc_now() -> datetime:
    return datetime.now(UTC)


def french_date(day: date) -> str:
    """« samedi 1er février 2027 »; an aware time is read in Paris."""
    if isinstance(day, datetime):
        day = day.astimezone(PARIS)
    number = "1er" if day.day == 1 else str(day.day)
    return f"{_DAYS[day.weekday()]} {number} {_MONTHS[day.month - 1]} {day.year}"


def french_time(moment: datetime) -> str:
    """« 14 h » or « 14 h 30 », in Paris."""
    local = moment.astimezone(PARIS)
    return f"{local.hour} h {local.minute:02d}" if local.minute else f"{local.hour} h"


def french_moment(moment: datetime) -> str:
    """« samedi 7 mars 2099 à 14 h 30 », in Paris."""
    return f"{french_date(moment)} à {french_time(moment)}"
