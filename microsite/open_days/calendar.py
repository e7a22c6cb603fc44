"""A slot as a calendar file (RFC 5545, and RFC 5546 for PUBLISH): what anyone may have and pass on."""

from collections.abc import Mapping
from datetime import UTC, datetime

from icalendar import Calendar, Event, Timezone

from ..formatters import PARIS
from ..school import School
from .models import Slot

MIMETYPE = "text/calendar"

# The rule since 1996 (directive 2000/84/EC). The library would list days up to 2037, the spring ones an hour late.
_ZONE = f"""\
BEGIN:VTIMEZONE
TZID:{PARIS.key}
BEGIN:DAYLIGHT
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def write_calendar(slot: Slot, *, school: School, url: str, now: datetime) -> bytes:
    """One event, without attendee, personal or secret address; `url` is the page of the open days.

    Without an ORGANIZER too, although RFC 5546 has one in what is published: with it, calendars show the event as
    somebody else's meeting, which can't be edited.
    """
    about = {
        # The same at each download, so that a calendar replaces the event instead of doubling it.
        "uid": f"creneau-{slot.id}@{school.site}",
        "status": "CONFIRMED" if slot.cancelled_at is None else "CANCELLED",
        "sequence": slot.sequence,
        "description": describe(slot),
        "url": url,
    }
    return to_ical(event_of(slot, school=school, about=about, now=now), method="PUBLISH", school=school)


def describe(slot: Slot) -> str:
    """What awaits and how to get there, each on lines of its own; empty when nothing is said."""
    return "\n\n".join(text for text in (slot.open_day.description, slot.open_day.access) if text)


def event_of(slot: Slot, *, school: School, about: Mapping[str, str | int], now: datetime) -> Event:
    """What every calendar file says of the slot, and `about` by the properties' names; empty ones are left out."""
    sample = " (date d’exemple)" if slot.open_day.is_sample else ""
    event = Event()
    event.add("dtstamp", now)
    for name, moment in zip(("dtstart", "dtend"), _local(slot.starts_at, slot.ends_at), strict=True):
        event.add(name, moment)
    event.add("summary", f"{slot.open_day.title}, {school.name}{sample}")
    event.add("location", slot.open_day.where)
    for name, value in about.items():
        if value != "":
            event.add(name, value)
    return event


def to_ical(event: Event, *, method: str, school: School) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", f"-//{school.name}//Portes ouvertes//FR")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(Timezone.from_ical(_ZONE))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _local(*moments: datetime) -> list[datetime]:
    """In Paris; all in UTC if one falls into the hour that an autumn night has twice.

    A local time there means the first of the two (RFC 5545, section 3.3.5): the second can't be said.
    """
    local = [moment.astimezone(PARIS) for moment in moments]
    return [moment.astimezone(UTC) for moment in moments] if any(moment.fold for moment in local) else local
