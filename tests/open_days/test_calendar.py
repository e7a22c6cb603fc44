"""A slot in anyone's calendar: the right time, nothing personal, nothing secret."""

from datetime import datetime

import pytest
from flask import Flask
from icalendar import Calendar

from microsite.school import PARIS

from ..answers import BROCHURE, add_slot, only
from ..page import CheckedClient


def _file(client: CheckedClient, slot: str) -> bytes:
    answer = client.get(f"/portes-ouvertes/creneaux/{slot}.ics")
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    return bytes(answer.data)


def test_thank_you_page_leads_to_the_slot_in_a_calendar(client: CheckedClient, app: Flask) -> None:
    slot = add_slot(app, capacity=5)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    thanks = client.follow(client.send(form, **BROCHURE, slot=slot))
    link = next(link for link in thanks.links() if link.endswith(".ics"))

    calendar = Calendar.from_ical(client.get(link).data)

    event = only(calendar.events)
    assert calendar["METHOD"] == "PUBLISH"
    assert only(calendar.timezones)["TZID"] == "Europe/Paris"
    assert datetime(2099, 3, 7, 10, tzinfo=PARIS) == event.DTSTART
    assert datetime(2099, 3, 7, 12, tzinfo=PARIS) == event.DTEND
    assert event["LOCATION"] == "Paris"
    assert event["UID"] == f"creneau-{slot}@esec.edu"


def test_calendar_file_names_nobody_and_holds_no_token(client: CheckedClient, app: Flask) -> None:
    slot = add_slot(app, capacity=5)
    client.follow(client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE, slot=slot))

    file = _file(client, slot)

    for word in (b"zoe", b"Lef", b"ATTENDEE", b"ORGANIZER", b"merci", b"JPO-"):
        assert word not in file


@pytest.mark.parametrize("slot", ["7", "99999999999999999999"])
def test_slot_that_is_not_there_is_a_page_not_found(client: CheckedClient, slot: str) -> None:
    assert client.page(f"/portes-ouvertes/creneaux/{slot}.ics").status == 404
