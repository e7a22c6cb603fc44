"""The open days as schema.org events, for search engines. Samples are none."""

from collections.abc import Iterable
from datetime import date

from ..school import PARIS
from ..sharing.tags import Thing, page_url, school_id, school_picture
from .queries import SlotSeats


def describe(slots: Iterable[SlotSeats]) -> list[Thing]:
    """One event a day and place, from its first slot's beginning to its last one's end."""
    days: dict[tuple[str, str, date], list[SlotSeats]] = {}
    for slot in slots:
        if not slot.is_sample:
            day = slot.starts_at.astimezone(PARIS).date()
            days.setdefault((slot.title, slot.place, day), []).append(slot)
    return [_event(title, place, of_the_day) for (title, place, _), of_the_day in days.items()]


def _event(title: str, place: str, slots: list[SlotSeats]) -> Thing:
    return {
        "@type": "Event",
        "name": title,
        "startDate": min(slot.starts_at for slot in slots).astimezone(PARIS).isoformat(),
        "endDate": max(slot.ends_at for slot in slots).astimezone(PARIS).isoformat(),
        "eventStatus": "https://schema.org/EventScheduled",
        "location": {"@type": "Place", "name": place, "address": place},
        "organizer": {"@id": school_id()},
        "image": school_picture().url,
        "inLanguage": "fr",
        "url": page_url(),
    }
