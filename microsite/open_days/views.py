"""/portes-ouvertes: choose a slot, register, and what happens next."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request

from ..db import LARGEST_ID, db
from ..leads.links import signed_submission
from ..leads.normalise import suggest_domain
from ..leads.views import Place, receive, thank
from ..outbox.messages import can_be_mailed
from ..sharing.tags import share
from ..web.context import current_school, utc_now
from ..web.links import public_url
from .calendar_links import calendar_entry, google_url, outlook_url
from .events import describe
from .forms import OpenDayForm, slot_label
from .models import Slot
from .seats import SlotClosed, SlotFull
from .services import follow_up

bp = Blueprint("open_days", __name__)

PAGE = Place(form="open_days.register", thanks="open_days.thanks")
DESCRIPTION = (
    "Choisissez un créneau, venez à plusieurs si vous le souhaitez, posez toutes vos questions. "
    "Aucune date ne vous convient ? Laissez-nous votre adresse : nous vous écrirons."
)


@bp.route("/portes-ouvertes", methods=["GET", "POST"])
def register() -> Response:
    return register_at(PAGE)


@bp.get("/portes-ouvertes/merci/<token>")
def thanks(token: str) -> Response:
    return thank_at(PAGE, token)


@bp.get("/portes-ouvertes/creneaux/<int:slot_id>.ics")
def calendar(slot_id: int) -> Response:
    """The slot for anyone's calendar: it says nothing of who registered."""
    # With icalendar, which takes a tenth of a second to load.
    from .calendar import MIMETYPE, write_calendar

    slot = db.session.get(Slot, slot_id) if slot_id <= LARGEST_ID else None
    if slot is None:
        abort(404)
    file = write_calendar(slot, school=current_school(), url=public_url("open_days.register"), now=utc_now())
    return make_response(
        file, {"Content-Type": MIMETYPE, "Content-Disposition": "attachment; filename=portes-ouvertes.ics"}
    )


def register_at(place: Place) -> Response:
    form = OpenDayForm(request.form if request.method == "POST" else None)

    def page() -> str:
        sharing = share(DESCRIPTION, about=describe(form.upcoming))
        return render_template("open_days/register.html", place=place, form=form, sharing=sharing)

    try:
        return receive(form, page, thanks=place.thanks, follow_up=follow_up)
    except (SlotFull, SlotClosed) as error:
        form.turn_down(error)
        return make_response(page(), 422)


def thank_at(place: Place, token: str) -> Response:
    """Told from what was typed and from what everybody may know of the slot: nothing of who is registered."""
    submission = signed_submission(place.thanks, token)
    slot = _kept_slot(submission.answers)
    page = render_template(
        "open_days/thanks.html",
        place=place,
        reference=submission.reference,
        suggestion=suggest_domain(submission.email),
        can_be_mailed=can_be_mailed(submission.email),
        label=_chosen_slot(submission.answers, slot),
        slot=slot,
        is_waiting=submission.answers.get("may_wait", False),
        calendars=_calendars(slot) if slot is not None else {},
    )
    return thank(page)


def _kept_slot(answers: dict[str, Any]) -> Slot | None:
    return db.session.get(Slot, answers["slot_id"]) if answers["slot_id"] is not None else None


def _chosen_slot(answers: dict[str, Any], slot: Slot | None) -> str | None:
    """As it is planned now; one that is gone, as it was chosen."""
    if slot is not None:
        return slot_label(slot.starts_at, slot.ends_at, is_sample=slot.open_day.is_sample)
    if answers["slot_id"] is None:
        return None
    starts_at, ends_at = (datetime.fromisoformat(answers[key]) for key in ("slot_starts_at", "slot_ends_at"))
    return slot_label(starts_at, ends_at, is_sample=False)


def _calendars(slot: Slot) -> dict[str, str]:
    entry = calendar_entry(slot, school=current_school(), url=public_url("open_days.register"))
    return {"Google Agenda": google_url(entry), "Outlook": outlook_url(entry)}
