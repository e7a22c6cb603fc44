"""The open days as schema.org events, for search engines. Samples are none.

Cancelled slots are left out rather than said to be cancelled: an event describes what its page shows, and the page no
longer shows them.
"""

from collections.abc import Iterable
from datetime import date

from ..formatters import PARIS
from ..sharing.tags import Thing, page_url, school_id, school_picture
from .queries import SlotSeats


def describe(slots: Iterable[SlotSeats]) -> list[Thing]:
    """One event a day and place, from its first slot's beginning to its last one's end."""
    days: dict[tuple[str, str, date], list[SlotSeats]] = {}
    for slot in slots:
        if not slot.is_sample:
            day = slot.starts_at.astimezone(PARIS).date()
            days.setdefault((slot.title, slot.place, day), []).append(slot)
    return [_event(of_the_day) for of_the_day in days.values()]


def _event(slots: list[SlotSeats]) -> Thing:
    day = slots[0]
    mode = "OnlineEventAttendanceMode" if day.is_online else "OfflineEventAttendanceMode"
    return {
        "@type": "Event",
        "name": day.title,
        **({"description": day.description} if day.description else {}),
        "startDate": min(slot.starts_at for slot in slots).astimezone(PARIS).isoformat(),
        "endDate": max(slot.ends_at for slot in slots).astimezone(PARIS).isoformat(),
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": f"https://schema.org/{mode}",
        "location": _location(day),
        "organizer": {"@id": school_id()},
        "image": school_picture().url,
        "inLanguage": "fr",
        "url": page_url(),
    }


def _location(day: SlotSeats) -> Thing:
    """Where one registers stands for an online day's address, which only who has a seat may know."""
    if day.is_online:
        return {"@type": "VirtualLocation", "url": page_url()}
    return {"@type": "Place", "name": day.place, "address": day.place}
