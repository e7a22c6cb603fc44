"""/admissions/portes-ouvertes/<slot>: who is in it, its lists for the door, changing it, calling it off."""

from flask import Response, abort, make_response, render_template, request

from ...db import LARGEST_ID, db, writing
from ...exports import attendees
from ...open_days import planning
from ...open_days.attendance import is_today
from ...open_days.models import RegistrationState, Slot
from ...open_days.plan_words import doubts
from ...open_days.planning import SlotPlan, lock_planning
from ...open_days.rosters import Attendee, count_told, get_filling, list_attendees
from ...web.context import utc_now
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..editing import answered
from ..fields import as_day
from .days import done
from .forms import SlotForm


@bp.get("/portes-ouvertes/<int:slot_id>")
@for_roles(ADMISSIONS)
def slot(slot_id: int) -> Response:
    found, now = find_slot(slot_id), utc_now()
    people = list_attendees(db.session(), found)
    is_ahead = found.cancelled_at is None and found.starts_at > now
    page = render_template(
        "backoffice/slot.html",
        slot=found,
        filling=get_filling(db.session(), found),
        seated=[one for one in people if one.place is None],
        waiting=[one for one in people if one.place is not None],
        is_ahead=is_ahead,
        is_today=is_today(found, now=now),
        doubts=list(doubts(SlotPlan.of(found), now=now)) if is_ahead else [],
    )
    note_seen("attendees seen", found, people)
    return make_response(page)


@bp.route("/portes-ouvertes/<int:slot_id>/modification", methods=["GET", "POST"])
@for_roles(ADMISSIONS)
def edit_slot(slot_id: int) -> Response:
    found, now = find_slot(slot_id, is_locked=request.method == "POST"), utc_now()
    if found.cancelled_at is not None or found.starts_at <= now:
        return _too_late(found)
    form = SlotForm(found)
    clashes = form.take_clashes() if form.is_submitted() else []
    if not clashes and form.validate_on_submit():
        others = [other for other in found.open_day.slots if other is not found and other.cancelled_at is None]
        plan = form.plan(others=others, now=now)
        if plan is not None:
            edited = planning.edit_slot(db.session(), found, plan, now=now)
            return done("slot edited", found, "creneau-modifie", told=edited.told, offered=edited.offered)
    page = render_template(
        "backoffice/edit_slot.html",
        form=form,
        slot=found,
        filling=get_filling(db.session(), found),
        told=count_told(db.session(), [found]),
        clashes=clashes,
    )
    return answered(page, form, clashes)


@bp.route("/portes-ouvertes/<int:slot_id>/annulation", methods=["GET", "POST"])
@for_roles(ADMISSIONS)
def cancel_slot(slot_id: int) -> Response:
    """Asked first, with how many people it concerns; done by the button."""
    found = find_slot(slot_id, is_locked=request.method == "POST")
    if found.cancelled_at is not None or found.starts_at <= utc_now():
        return _too_late(found)
    if request.method == "POST":
        told = planning.cancel_slot(db.session(), found, now=utc_now())
        return done("slot cancelled", found, "creneau-annule", told=told)
    told = count_told(db.session(), [found])
    return make_response(render_template("backoffice/cancel.html", day=found.open_day, slots=[found], told=told))


@bp.get("/portes-ouvertes/<int:slot_id>/liste")
@for_roles(ADMISSIONS)
def door_list(slot_id: int) -> Response:
    """For paper: a box to tick beside each name."""
    found = find_slot(slot_id)
    people = list_attendees(db.session(), found)
    page = render_template(
        "backoffice/door_list.html",
        slot=found,
        seated=[one for one in people if one.place is None],
        waiting=[one for one in people if one.place is not None],
        printed_at=utc_now(),
        attended=RegistrationState.ATTENDED,
    )
    note_seen("attendees seen", found, people)
    return make_response(page)


@bp.get("/portes-ouvertes/<int:slot_id>/liste.csv")
@for_roles(ADMISSIONS)
def attendees_csv(slot_id: int) -> Response:
    found = find_slot(slot_id)
    people = list_attendees(db.session(), found)
    content, name = attendees.attendees_csv(people), f"inscrits-{as_day(found.starts_at)}-{found.id}.csv"
    note_seen("attendees exported", found, people)
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f"attachment; filename={name}"}
    return make_response(content, headers)


def find_slot(slot_id: int, *, is_locked: bool = False) -> Slot:
    """Locked, nobody else plans meanwhile."""
    if is_locked:
        lock_planning(db.session())
    found = db.session.get(Slot, slot_id) if slot_id <= LARGEST_ID else None
    return found or abort(404)


def note_seen(action: str, seen: Slot, people: list[Attendee]) -> None:
    """At the end of a view: it ends the transaction that the page was read in."""
    slot_id, rows, staff_id = seen.id, len(people), current_staff().id
    with writing():
        note(db.session(), action, staff_id=staff_id, now=utc_now(), subject="slot", subject_id=slot_id, rows=rows)


def _too_late(found: Slot) -> Response:
    return make_response(render_template("backoffice/too_late.html", day=found.open_day), 409)
