"""A slot as a calendar file (RFC 5545, and RFC 5546 for PUBLISH): what anyone may have and pass on."""

from datetime import datetime

from icalendar import Calendar, Event

from ..school import PARIS, School
from .models import Slot

MIMETYPE = "text/calendar"


def write_calendar(slot: Slot, *, school: School, url: str, now: datetime) -> bytes:
    """One event, without attendee or personal address; `url` is the page of the open days."""
    event = Event()
    # The same at each download, so that a calendar replaces the event instead of doubling it.
    event.add("uid", f"creneau-{slot.id}@{school.site}")
    event.add("dtstamp", now)
    event.add("dtstart", slot.starts_at.astimezone(PARIS))
    event.add("dtend", slot.ends_at.astimezone(PARIS))
    sample = " (date d’exemple)" if slot.open_day.is_sample else ""
    event.add("summary", f"{slot.open_day.title}, {school.name}{sample}")
    event.add("location", slot.open_day.place)
    event.add("url", url)
    calendar = Calendar()
    calendar.add("prodid", f"-//{school.name}//Portes ouvertes//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
