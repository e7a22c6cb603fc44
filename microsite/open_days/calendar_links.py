"""A slot as a link that opens an online calendar with it filled in: what anyone may have and pass on.

Neither company documents these addresses; both have kept them for years. Whoever they fail has the calendar file.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from ..school import School
from .models import Slot

_GOOGLE = "https://calendar.google.com/calendar/render"
_OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"


@dataclass(frozen=True, kw_only=True)
class CalendarEntry:
    title: str
    place: str
    url: str
    starts_at: datetime
    ends_at: datetime


def calendar_entry(slot: Slot, *, school: School, url: str) -> CalendarEntry:
    """`url` is the page of the open days: nothing here is a visitor's own."""
    sample = " (date d’exemple)" if slot.open_day.is_sample else ""
    return CalendarEntry(
        title=f"{slot.open_day.title}, {school.name}{sample}",
        place=slot.open_day.where,
        url=url,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
    )


def google_url(entry: CalendarEntry) -> str:
    """Google Calendar's event template; on Android it opens the app."""
    times = "/".join(f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (entry.starts_at, entry.ends_at))
    return _address(_GOOGLE, action="TEMPLATE", text=entry.title, dates=times, location=entry.place, details=entry.url)


def outlook_url(entry: CalendarEntry) -> str:
    """Outlook's on the web, for personal accounts (Outlook.com, Hotmail, Live)."""
    return _address(
        _OUTLOOK,
        path="/calendar/action/compose",
        rru="addevent",
        subject=entry.title,
        startdt=f"{entry.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        enddt=f"{entry.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        location=entry.place,
        body=entry.url,
    )


def _address(base: str, **parameters: str) -> str:
    # Outlook shows a plus sign as it is where a space was meant.
    return f"{base}?{urlencode(parameters, quote_via=quote)}"
