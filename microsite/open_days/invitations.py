"""What puts one person's registration into their calendar, and takes it out again (iTIP, RFC 5546, by mail: RFC 6047).

Unlike the public file it names its reader, and brings the link of an online day. Never the link of the personal page:
people share their calendars.
"""

from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from icalendar import Event, vCalAddress, vText

from ..leads.emails import address_of
from ..outbox.emails import EmailContent, Part
from ..outbox.messages import mail_address
from ..school import School
from .calendar import describe, event_of, to_ical
from .models import EXPECTED, Registration

REQUEST, CANCEL = "REQUEST", "CANCEL"


def write_request(registration: Registration, *, school: School, url: str, now: datetime) -> bytes:
    """The event as it is by now, for who is sure of a seat; `url` is the page of the open days."""
    if registration.state not in EXPECTED:
        raise ValueError("an invitation tells where an online day is: only who has a seat gets one")
    slot = registration.slot
    joining = f"Pour nous rejoindre\N{NO-BREAK SPACE}: {registration.online_url}" if registration.online_url else ""
    words = [joining, describe(slot), f"Votre référence\N{NO-BREAK SPACE}: {registration.submission.reference}"]
    about: dict[str, str | int] = {
        "status": "CONFIRMED",
        "sequence": slot.sequence,
        "description": "\n\n".join(text for text in words if text),
        "url": registration.online_url or url,
    }
    event = _event(registration, about, school=school, now=now)
    event["attendee"].params.update({"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT"})
    # They said so by registering; nobody waits for an answer.
    event["attendee"].params.update({"PARTSTAT": "ACCEPTED", "RSVP": "FALSE"})
    return to_ical(event, method=REQUEST, school=school)


def write_cancel(registration: Registration, *, school: School, now: datetime) -> bytes:
    """What takes the event out of the calendar it was put into."""
    about: dict[str, str | int] = {"status": "CANCELLED", "sequence": registration.slot.sequence + 1}
    return to_ical(_event(registration, about, school=school, now=now), method=CANCEL, school=school)


def attach_calendar(content: EmailContent, file: bytes, method: str) -> EmailContent:
    """Attach the calendar file twice, as calendar programs send theirs.

    Among the alternatives it is where mail programs look for it, under a media type that names the file's own method
    (RFC 6047, section 2.4). As an attachment it is there for who reads in a program that knows no calendar, and opens
    it by hand; under another media type, for a program that knows both would show the event twice.
    """
    name = "invitation.ics" if method == REQUEST else "annulation.ics"
    known = Part(name=name, media_type="text/calendar", parameters={"method": method, "charset": "utf-8"}, content=file)
    by_hand = Part(name=name, media_type="application/ics", content=file)
    return replace(content, alternatives=(known,), attachments=(by_hand,))


def _event(registration: Registration, about: dict[str, str | int], *, school: School, now: datetime) -> Event:
    # Not the public file's: who has both would else lose one to the other.
    about = {"uid": f"inscription-{registration.id}@{school.site}", **about}
    event = event_of(registration.slot, school=school, about=about, now=now)
    # The address that the mail comes from: mail programs trust no other (RFC 6047, section 3).
    organizer = vCalAddress(_mailto(school.mail.sender))
    organizer.params["CN"] = vText(school.name)
    event.add("organizer", organizer)
    event.add("attendee", vCalAddress(_mailto(address_of(registration.submission))))
    return event


def _mailto(address: str) -> str:
    """RFC 6068."""
    return "mailto:" + quote(mail_address(address), safe="@+!$*'")
