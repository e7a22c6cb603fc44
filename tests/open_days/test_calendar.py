"""A slot in anyone's calendar: the right time, nothing personal, nothing secret; read back by two libraries."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from microsite.content_files import Folders
from microsite.formatters import PARIS
from microsite.open_days.calendar import write_calendar
from microsite.open_days.models import OpenDay, Slot
from microsite.school import School, load_school

from ..answers import BROCHURE, call_off, only, plan_slot
from ..page import CheckedClient

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
URL = "https://www.ecole.example/portes-ouvertes"


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def _file(client: CheckedClient, slot: str) -> bytes:
    answer = client.get(f"/portes-ouvertes/creneaux/{slot}.ics")
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    return bytes(answer.data)


def _write(school: School, starts_at: datetime, ends_at: datetime | None = None, **words: str) -> bytes:
    texts = {"title": "Portes ouvertes", "place": "Paris", "access": "", "description": "", "online_url": ""}
    day = OpenDay(**texts | words, is_sample=False)
    slot = Slot(id=7, open_day=day, starts_at=starts_at, ends_at=ends_at or starts_at + timedelta(hours=2), sequence=0)
    return write_calendar(slot, school=school, url=URL, now=NOW)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    return load_school(Folders(tmp_path_factory.mktemp("school")))


def test_thank_you_page_leads_to_the_slot_in_a_calendar(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=5)
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
    assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 0)


def test_calendar_file_names_nobody_and_holds_no_token(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, place="Zoom zoe", access="Connexion dès 9 h 50.", online_url="https://salle.example/secret")
    client.follow(client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE, slot=slot))

    file = _file(client, slot)

    for word in (b"zoe", b"Lef", b"ATTENDEE", b"ORGANIZER", b"merci", b"JPO-", b"salle.example", b"mon-espace"):
        assert word not in file
    assert "Connexion dès 9 h 50." in file.decode()
    assert b"LOCATION:En ligne" in file


def test_slot_that_is_called_off_is_cancelled_under_the_same_uid(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app)
    before = only(Calendar.from_ical(_file(client, slot)).events)

    call_off(app, slot)

    after = only(Calendar.from_ical(_file(client, slot)).events)
    assert after["STATUS"] == "CANCELLED"
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]


@pytest.mark.parametrize("slot", ["7", "99999999999999999999"])
def test_slot_that_is_not_there_is_a_page_not_found(client: CheckedClient, slot: str) -> None:
    assert client.page(f"/portes-ouvertes/creneaux/{slot}.ics").status == 404


# The two nights on which the clocks change, and the winter and summer around them.
@pytest.mark.parametrize(
    ("starts_at", "said"),
    [
        (datetime(2027, 3, 27, 9, tzinfo=UTC), "20270327T100000"),
        (datetime(2027, 3, 28, 0, 30, tzinfo=UTC), "20270328T013000"),
        (datetime(2027, 3, 28, 1, tzinfo=UTC), "20270328T030000"),
        (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), "20270328T033000"),
        (datetime(2027, 7, 14, 8, tzinfo=UTC), "20270714T100000"),
        (datetime(2027, 10, 30, 22, tzinfo=UTC), "20271031T000000"),
        # 2:30 comes twice: the first is said as it is, the second makes both times UTC.
        (datetime(2027, 10, 30, 23, 30, tzinfo=UTC), "20271030T233000Z"),
        (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), "20271031T023000"),
        (datetime(2027, 10, 31, 1, 30, tzinfo=UTC), "20271031T013000Z"),
        (datetime(2027, 10, 31, 2, tzinfo=UTC), "20271031T030000"),
        (datetime(2099, 7, 14, 8, tzinfo=UTC), "20990714T100000"),
    ],
)
def test_both_libraries_read_the_moment_by_the_files_own_time_zone(
    school: School, starts_at: datetime, said: str
) -> None:
    file = _write(school, starts_at).decode()
    # Under a name that no library knows, the file's rules are all there is.
    unknown = file.replace("Europe/Paris", "Ecole")

    one = only(Calendar.from_ical(unknown).events)
    other = only(IcsCalendarStream.calendar_from_ics(unknown).events)

    assert re.findall(r"DTSTART[^:]*:(\S+)", file)[-1] == said
    for event in (one.DTSTART, one.DTEND), (other.dtstart, other.dtend):
        assert [moment.astimezone(UTC) for moment in event] == [starts_at, starts_at + timedelta(hours=2)]


def test_slot_that_ends_in_the_hour_that_comes_twice_keeps_its_length(school: School) -> None:
    starts_at, ends_at = (datetime(2027, 10, 31, hour, 30, tzinfo=UTC) for hour in (0, 1))

    file = _write(school, starts_at, ends_at)

    event = only(Calendar.from_ical(file).events)
    assert timedelta(hours=1) == event.DTEND - event.DTSTART
    assert starts_at == event.DTSTART


def test_written_rules_are_those_that_the_time_zone_follows(school: School) -> None:
    """Should the law change, the file's rules must follow."""
    zone = only(Calendar.from_ical(_write(school, NOW)).timezones).to_tz()

    for year, month, day in itertools.product(range(2026, 2038), (3, 10), range(1, 32)):
        noon = datetime(year, month, day, 12, tzinfo=PARIS)
        assert noon.replace(tzinfo=zone).utcoffset() == noon.utcoffset(), noon


_texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), max_size=200)


@settings(deadline=None)
@given(title=_texts, access=_texts.map(lambda text: f"{text}\n;,\\ é\n{text}"))
def test_any_words_survive_and_no_line_is_too_long(school: School, title: str, access: str) -> None:
    file = _write(school, NOW, title=f"A{title}", access=f"{access}.")

    # RFC 5545, section 3.1: 75 octets, and no character cut in two.
    lines = file.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert b"\n" not in file.replace(b"\r\n", b"")
    for line in lines:
        line.decode()
    one = only(Calendar.from_ical(file).events)
    assert (str(one["SUMMARY"]), str(one["DESCRIPTION"])) == (f"A{title}, {school.name}", f"{access}.")


def test_other_library_reads_the_words_back(school: School) -> None:
    access = "Entrée par la cour ; ascenseur, 2e étage.\nMétro « Bastille », ligne 1 \\ 5."

    file = _write(school, NOW, access=access * 3, description="Venez, à plusieurs")

    calendar = IcsCalendarStream.calendar_from_ics(file.decode())
    event = only(calendar.events)
    assert (calendar.method, event.uid, event.sequence) == ("PUBLISH", "creneau-7@esec.edu", 0)
    assert (event.summary, event.location) == ("Portes ouvertes, ÉSEC", "Paris")
    assert event.description == f"Venez, à plusieurs\n\n{access * 3}"
