"""Content of e-mails about a registration: day, place and party, code for the entrance, calendar file."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from ..formatters import PARIS, format_long_moment
from ..leads.emails import content_for, find_submission, sample_submission
from ..leads.models import FormName
from ..outbox.emails import EmailContent, Part
from ..web.context import current_school, utc_now
from ..web.links import public_url
from .codes import check_in_png
from .forms import slot_label
from .models import EXPECTED, OpenDay, Registration, RegistrationState, Slot
from .queries import find_by_submission


def find_by_cause(session: Session, cause: str) -> Registration | None:
    """Find the registration that a cause (« reference » or « reference.something ») is about; None once it is gone."""
    submission = find_submission(session, cause.partition(".")[0])
    return find_by_submission(session, submission.id) if submission else None


def is_to_come(registration: Registration, *, now: datetime) -> bool:
    """Whether news of it is of use: until the end for who may still come in, else until it begins."""
    slot = registration.slot
    return now < (slot.ends_at if registration.state in EXPECTED else slot.starts_at)


def content_about(registration: Registration, **values: Any) -> EmailContent:
    """Return all that is known of the day; for who is expected on site, with their code."""
    party: dict[str, Any] = {
        "companions": registration.companions,
        "party": format_party(registration.companions),
        "state": registration.state,
        "online_url": registration.online_url,
        "offered_until": registration.offered_until and format_long_moment(registration.offered_until),
        "code": None,
    }
    content = content_for(registration.submission, **describe_slot(registration.slot) | party | values)
    if registration.state not in EXPECTED or registration.slot.open_day.is_online:
        return content
    reference = registration.submission.reference
    name = f"{reference.lower()}@{current_school().site}"
    picture = Part(name=name, media_type="image/png", content=check_in_png(reference))
    return replace(content, values={**content.values, "code": name}, pictures=(picture,))


def add_invitation(content: EmailContent, registration: Registration) -> EmailContent:
    """Add the file that puts the slot into a calendar, or corrects it there; nothing for who isn't sure of a seat."""
    if registration.state not in EXPECTED:
        return content
    # With icalendar, which takes a tenth of a second to load.
    from .invitations import REQUEST, attach_calendar, write_request

    page = public_url("open_days.register")
    file = write_request(registration, school=current_school(), url=page, now=utc_now())
    return attach_calendar(content, file, REQUEST)


def content_without_seat(registration: Registration, **values: Any) -> EmailContent:
    """Return the same for somebody who isn't expected any more: which slot it was is enough."""
    return content_about(registration, access="", party="", **values)


def add_cancellation(content: EmailContent, registration: Registration) -> EmailContent:
    """Add the file that takes the slot out of a calendar."""
    from .invitations import CANCEL, attach_calendar, write_cancel

    return attach_calendar(content, write_cancel(registration, school=current_school(), now=utc_now()), CANCEL)


def describe_slot(slot: Slot) -> dict[str, Any]:
    day = slot.open_day
    return {
        "day": day.title,
        "slot": slot_label(slot.starts_at, slot.ends_at, is_sample=False),
        "place": day.where,
        "access": day.access,
        "is_online": day.is_online,
        "is_sample": day.is_sample,
    }


def format_party(companions: int) -> str:
    if companions == 0:
        return "Pour vous"
    with_you = "la personne" if companions == 1 else f"les {companions} personnes"
    return f"Pour vous et {with_you} qui vous accompagne{'' if companions == 1 else 'nt'}"


def sample_registration(state: RegistrationState = RegistrationState.CONFIRMED) -> Registration:
    """Make up a registration, for previews."""
    starts_at = datetime(2027, 2, 6, 10, tzinfo=PARIS)
    day = OpenDay(
        title="Journée portes ouvertes",
        place="lieu d’exemple",
        access="Entrée par la cour.\nUn ascenseur mène à l’étage.",
        description="",
        online_url="",
        is_sample=False,
    )
    slot = Slot(id=1, open_day=day, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2), sequence=0)
    registration = Registration(id=1, slot=slot, companions=2, state=state)
    registration.submission = sample_submission(FormName.OPEN_DAY)
    if state is RegistrationState.OFFERED:
        registration.offered_until = starts_at - timedelta(days=6)
    return registration
