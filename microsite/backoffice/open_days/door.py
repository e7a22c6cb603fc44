"""/admissions/portes-ouvertes/<slot>/accueil: the door, on a phone. Who is expected, who is here, who just came."""

from datetime import datetime

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for
from wtforms.validators import DataRequired

from ...db import db
from ...leads.forms import EMAIL_KEYS, NAME_LIMIT, PHONE_LIMIT, EmailField, PhoneField
from ...leads.services import Person
from ...open_days import attendance
from ...open_days.attendance import CheckedIn, find_arriving, is_today
from ...open_days.forms import COMPANIONS_LIMIT
from ...open_days.models import Registration, RegistrationState, Slot
from ...open_days.rosters import SlotFilling, get_filling, list_attendees
from ...open_days.seats import SlotClosed, SlotFull
from ...web.context import utc_now
from ...web.fields import ChoiceField, NameField, refuse
from ..access import ADMISSIONS, by_itself, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..forms import StaffForm, entered
from .slots import find_slot, note_seen
from .standings import Kind, Standing, matching, standing, standings

_QUERY_LIMIT = 200


class WalkInForm(StaffForm):
    first_name = NameField("Prénom", [DataRequired("Saisissez le prénom.")], limit=NAME_LIMIT)
    last_name = NameField("Nom", [DataRequired("Saisissez le nom.")], limit=NAME_LIMIT)
    email = EmailField(
        "Adresse e-mail",
        [DataRequired("Saisissez l’adresse e-mail.")],
        render_kw=EMAIL_KEYS | {"autocomplete": "off"},
    )
    phone = PhoneField("Téléphone", limit=PHONE_LIMIT, render_kw={"type": "tel", "autocomplete": "off"})
    companions = ChoiceField("Personnes qui l’accompagnent", default="0")

    def __init__(self) -> None:
        super().__init__()
        numbers = [str(number) for number in range(COMPANIONS_LIMIT + 1)]
        self.companions.offer(dict(zip(numbers, numbers, strict=True)), empty=None)

    def person(self) -> Person:
        return Person(
            first_name=entered(self.first_name),
            last_name=entered(self.last_name),
            email=entered(self.email),
            phone=self.phone.e164,
        )


@bp.get("/portes-ouvertes/<int:slot_id>/accueil")
@for_roles(ADMISSIONS)
def door(slot_id: int) -> Response:
    slot, now = find_slot(slot_id), utc_now()
    query = request.args.get("q", "")[:_QUERY_LIMIT].strip()
    people = list_attendees(db.session(), slot)
    found = matching(standings(people, now=now), query)
    beside = _in_other_slots(slot, query, now=now) if query else []
    noted = _noted(slot)
    page = render_template(
        "backoffice/door.html",
        slot=slot,
        query=query,
        counts=counted(get_filling(db.session(), slot)),
        is_today=is_today(slot, now=now),
        expected=[one for one in found if one.kind is Kind.EXPECTED],
        waiting=[one for one in found if one.kind is Kind.WAITING],
        here=[one for one in found if one.kind is Kind.HERE],
        beside=beside,
        noted=standing(noted, now=now) if noted else None,
    )
    note_seen("attendees seen", slot, people)
    return make_response(page)


@bp.get("/portes-ouvertes/<int:slot_id>/accueil/places")
@by_itself
@for_roles(ADMISSIONS)
def door_counts(slot_id: int) -> Response:
    """For the page that shows them, every few seconds."""
    return jsonify(counted(get_filling(db.session(), find_slot(slot_id))))


@bp.route("/portes-ouvertes/<int:slot_id>/accueil/sans-inscription", methods=["GET", "POST"])
@for_roles(ADMISSIONS)
def walk_in(slot_id: int) -> Response:
    slot, now = find_slot(slot_id), utc_now()
    if not _is_open(slot):
        return make_response(render_template("backoffice/walk_in.html", form=None, slot=slot), 409)
    form = WalkInForm()
    if form.validate_on_submit():
        companions = int(entered(form.companions))
        try:
            checked_in = attendance.walk_in(
                db.session(), form.person(), slot_id=slot_id, companions=companions, now=now
            )
        except SlotFull as error:
            db.session.rollback()
            refuse(form.companions, f"Places libres : {error.remaining}. Il en faudrait {1 + companions}.")
        except SlotClosed:
            db.session.rollback()
            refuse(form.first_name, "Ce créneau est terminé, ou il est annulé.")
        else:
            return arrived("walk-in", checked_in, slot_id)
    page = render_template("backoffice/walk_in.html", form=form, slot=find_slot(slot_id))
    return make_response(page, 422 if form.is_submitted() else 200)


def arrived(action: str, checked_in: CheckedIn, slot_id: int) -> Response:
    """Note it, commit, and back to the door, which says so."""
    registration = checked_in.registration
    reference = registration.submission.reference
    note_arrival(action, registration.id, is_repeated=checked_in.is_repeated)
    db.session.commit()
    return make_response(redirect(url_for("backoffice.door", slot_id=slot_id, note=reference)), 303)


def note_arrival(action: str, registration_id: int, **details: bool) -> None:
    note(
        db.session(),
        action,
        staff_id=current_staff().id,
        now=utc_now(),
        subject="registration",
        subject_id=registration_id,
        **details,
    )


def counted(filling: SlotFilling) -> dict[str, int]:
    """People, those who come along included."""
    here = filling.seats.get(RegistrationState.ATTENDED, 0)
    return {
        "here": here,
        "expected": filling.taken - here,
        "free": max(0, filling.slot.capacity - filling.taken),
        "waiting": filling.seats.get(RegistrationState.WAITING, 0),
    }


def _in_other_slots(slot: Slot, query: str, *, now: datetime) -> list[Standing]:
    """Whoever comes at another hour than theirs is found all the same."""
    others = [
        other
        for other in slot.open_day.slots
        if other.id != slot.id and other.cancelled_at is None and is_today(other, now=now)
    ]
    people = [one for other in others for one in list_attendees(db.session(), other)]
    return matching(standings(people, now=now), query)


def _noted(slot: Slot) -> Registration | None:
    """Whom a button was just pressed for."""
    reference = request.args.get("note", "")[:_QUERY_LIMIT]
    registration = find_arriving(db.session(), reference) if reference else None
    is_of_this_day = registration is not None and registration.slot.open_day_id == slot.open_day_id
    return registration if is_of_this_day else None


def _is_open(slot: Slot) -> bool:
    now = utc_now()
    return slot.cancelled_at is None and slot.ends_at > now and is_today(slot, now=now)
