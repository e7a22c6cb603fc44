"""Write dates, hours, sizes, numbers and lists as French readers expect them; every time is read in Paris."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from types import MappingProxyType
from zoneinfo import ZoneInfo

# The zone of every time that people read: on screen, in mails, in exports.
PARIS = ZoneInfo("Europe/Paris")

_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905
)


def format_day(day: date) -> str:
    """« 31/01/2027 »."""
    return f"{_in_paris(day):%d/%m/%Y}"


def format_long_day(day: date) -> str:
    """« samedi 1er février 2027 »."""
    day = _in_paris(day)
    number = "1er" if day.day == 1 else str(day.day)
    return f"{_WEEKDAYS[day.weekday()]} {number} {_MONTHS[day.month - 1]} {day.year}"


def format_clock(at: datetime | time) -> str:
    """« 14:05 »."""
    return f"{at.astimezone(PARIS) if isinstance(at, datetime) else at:%H:%M}"


def format_hour(at: datetime) -> str:
    """« 14 h » or « 14 h 30 »."""
    local = at.astimezone(PARIS)
    return f"{local.hour} h {local.minute:02d}" if local.minute else f"{local.hour} h"


def format_moment(at: datetime) -> str:
    """« 23/11/2026 à 14:05 »."""
    return f"{format_day(at)} à {format_clock(at)}"


def format_long_moment(at: datetime) -> str:
    """« samedi 7 mars 2099 à 14 h 30 »."""
    return f"{format_long_day(at)} à {format_hour(at)}"


def format_period(first: date | None, last: date | None) -> str:
    """« du 20/11/2026 au 22/11/2026 », open on one side or both."""
    if first and last:
        return f"le {format_day(first)}" if first == last else f"du {format_day(first)} au {format_day(last)}"
    if first:
        return f"dès le {format_day(first)}"
    return f"jusqu’au {format_day(last)}" if last else "sans date"


def format_number(number: int) -> str:
    """« 4 000 », its space made narrow and unbreakable by french()."""
    return f"{number:,}".replace(",", " ")


def format_size(size: int) -> str:
    """« 1,4 Mo », « 320 Ko »."""
    if size >= 1_000_000:
        return f"{size / 1_000_000:.1f} Mo".replace(".", ",")
    return f"{size / 1000:.0f} Ko"


def format_list(items: Sequence[str]) -> str:
    """« a, b et c »."""
    *others, last = items
    return f"{', '.join(others)} et {last}" if others else last


def _in_paris(day: date) -> date:
    return day.astimezone(PARIS) if isinstance(day, datetime) else day


# By their names in templates.
FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "clock": format_clock,
        "file_size": format_size,
        "french_date": format_long_day,
        "moment": format_moment,
        "number": format_number,
    }
)
