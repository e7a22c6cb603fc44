"""What a mail puts into its reader's own calendar: REQUEST, the same again when it moves, CANCEL (RFC 5546)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from microsite.content_files import Folders
from microsite.formatters import PARIS
from microsite.open_days.email_content import sample_registration
from microsite.open_days.invitations import write_cancel, write_request
from microsite.open_days.models import EXPECTED, RegistrationState
from microsite.school import School, load_school

from ..answers import complete_school, only
from .scene import Mail, Scene

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
URL = "https://www.ecole.example/portes-ouvertes"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    folder = tmp_path_factory.mktemp("school")
    complete_school(folder)
    return load_school(Folders(folder))


def _event(mail: Mail, method: str) -> Any:
    assert mail.calendar is not None
    assert mail.calendar["METHOD"] == method
    return only(mail.calendar.events)


def test_registration_is_requested_moved_and_cancelled_under_one_uid(scene: Scene) -> None:
    scene.register("zoe", companions=1)
    requested = _event(only(scene.mails()), "REQUEST")
    scene.move(datetime(2099, 7, 7, 8, tzinfo=UTC))
    moved = _event(only(scene.mails()), "REQUEST")
    scene.cancel("zoe")
    cancelled = _event(only(scene.mails()), "CANCEL")

    assert requested["UID"] == moved["UID"] == cancelled["UID"]
    assert not str(requested["UID"]).startswith("creneau-")
    assert [event["SEQUENCE"] for event in (requested, moved, cancelled)] == [0, 1, 2]
    assert [event["STATUS"] for event in (requested, moved, cancelled)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert datetime(2099, 3, 7, 10, tzinfo=PARIS) == requested.DTSTART
    assert datetime(2099, 7, 7, 10, tzinfo=PARIS) == moved.DTSTART == cancelled.DTSTART
    for event in (requested, moved, cancelled):
        assert event["ATTENDEE"] == "mailto:zoe@exemple.fr"
        assert str(event["ORGANIZER"]).startswith("mailto:")


def test_called_off_takes_the_event_away_above_every_earlier_sequence(scene: Scene) -> None:
    scene.register("zoe")
    requested = _event(only(scene.mails()), "REQUEST")
    scene.call_off()

    cancelled = _event(only(scene.mails()), "CANCEL")

    assert cancelled["UID"] == requested["UID"]
    assert cancelled["SEQUENCE"] > requested["SEQUENCE"]


def test_registering_again_after_a_cancellation_is_another_event(scene: Scene) -> None:
    scene.register("zoe")
    first = _event(only(scene.mails()), "REQUEST")
    scene.cancel("zoe")
    scene.register("zoe")

    cancelled, again = scene.mails()

    assert _event(cancelled, "CANCEL")["UID"] == first["UID"]
    assert _event(again, "REQUEST")["UID"] != first["UID"]


def test_attendee_is_the_one_reader_who_has_accepted_and_is_asked_nothing(school: School) -> None:
    registration = sample_registration()
    assert registration.submission.lead is not None
    # As the lead holds it, to which the mail goes.
    registration.submission.lead.email = "zoe+jpo%1@exämple.fr"

    for file in (
        write_request(registration, school=school, url=URL, now=NOW),
        write_cancel(registration, school=school, now=NOW),
    ):
        event = only(Calendar.from_ical(file).events)
        assert event["ATTENDEE"] == "mailto:zoe+jpo%251@xn--exmple-cua.fr"
        assert (event["ORGANIZER"], event["ORGANIZER"].params["CN"]) == ("mailto:sender@ecole.example", "ÉSEC")

    request = only(Calendar.from_ical(write_request(registration, school=school, url=URL, now=NOW)).events)
    expected = {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    assert dict(request["ATTENDEE"].params) == expected


def test_other_library_reads_request_and_cancel(school: School) -> None:
    registration = sample_registration()
    registration.slot.sequence = 3
    request = write_request(registration, school=school, url=URL, now=NOW)
    cancel = write_cancel(registration, school=school, now=NOW)

    for file, method, sequence, status in ((request, "REQUEST", 3, "CONFIRMED"), (cancel, "CANCEL", 4, "CANCELLED")):
        calendar = IcsCalendarStream.calendar_from_ics(file.decode())
        event = only(calendar.events)
        assert (calendar.method, event.uid, event.sequence) == (method, "inscription-1@esec.edu", sequence)
        assert event.status == status
        assert event.dtstart == datetime(2027, 2, 6, 10, tzinfo=PARIS)
        assert only(event.attendees).uri == "mailto:zoe@exemple.fr"
        assert all(len(line) <= 75 for line in file.split(b"\r\n"))


def test_online_link_stands_in_the_request_alone(school: School) -> None:
    registration = sample_registration()
    registration.slot.open_day.online_url = "https://salle.example/r?a=1,2;3"

    request = write_request(registration, school=school, url=URL, now=NOW)

    event = only(Calendar.from_ical(request).events)
    assert "https://salle.example/r?a=1,2;3\n" in str(event["DESCRIPTION"])
    assert (event["URL"], event["LOCATION"]) == ("https://salle.example/r?a=1,2;3", "En ligne")
    registration.state = RegistrationState.CANCELLED
    assert b"salle.example" not in write_cancel(registration, school=school, now=NOW)


@pytest.mark.parametrize("state", [state for state in RegistrationState if state not in EXPECTED])
def test_who_is_not_sure_of_a_seat_is_not_invited(school: School, state: RegistrationState) -> None:
    with pytest.raises(ValueError, match="seat"):
        write_request(sample_registration(state), school=school, url=URL, now=NOW)


@pytest.mark.parametrize("starts_at", [datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)])
def test_invitation_keeps_its_moment_when_the_clocks_change(school: School, starts_at: datetime) -> None:
    registration = sample_registration()
    registration.slot.starts_at, registration.slot.ends_at = starts_at, starts_at + timedelta(hours=1)

    file = write_request(registration, school=school, url=URL, now=NOW).decode().replace("Europe/Paris", "Ecole")

    one, other = Calendar.from_ical(file).events, IcsCalendarStream.calendar_from_ics(file).events
    starts: list[Any] = [only(one).DTSTART, only(other).dtstart]
    assert [start.astimezone(UTC) for start in starts] == [starts_at, starts_at]
