"""/admissions/accueil/<reference>: where a registration's code leads, and what the team does there.

Whoever isn't of the admissions, signed in, reads the same page for every reference: trying some tells nothing.
"""

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ...db import LARGEST_ID, db, writing
from ...leads.services import Person
from ...leads.views import thank
from ...open_days.attendance import NotExpected, check_in, find_arriving, undo, walk_in
from ...open_days.models import Registration, RegistrationState
from ...open_days.rosters import get_filling, list_attendees
from ...open_days.seats import SlotClosed, SlotFull
from ...web.context import utc_now
from ..access import ADMISSIONS, for_anyone, for_roles, staff
from ..blueprint import bp
from ..onward import to_first_duty
from .door import counted, note_arrival
from .standings import Standing, standing, standings


@bp.get("/accueil/<reference>")
@for_anyone
def welcome(reference: str) -> Response:
    """GET changes nothing: the button does."""
    person = staff()
    if person is not None and person.first_duty is not None:
        return to_first_duty(person.first_duty)
    if person is not None and person.role in ADMISSIONS:
        return _card(reference)
    if "connexion" in request.args:
        if person is not None:
            return make_response(render_template("backoffice/forbidden.html"), 403)
        back = url_for("backoffice.welcome", reference=reference)
        return make_response(redirect(url_for("backoffice.enter", suite=back)), 303)
    return thank(render_template("open_days/welcome.html"))


@bp.post("/accueil/<reference>/arrivee")
@for_roles(ADMISSIONS)
def arrive(reference: str) -> Response:
    """Twice changes nothing: the first time stays. A refusal is what the page says next."""
    try:
        checked_in = check_in(db.session(), reference, now=utc_now())
    except NotExpected:
        db.session.rollback()
    else:
        note_arrival("arrival noted", checked_in.registration.id, is_repeated=checked_in.is_repeated)
        db.session.commit()
    return _back(reference)


@bp.post("/accueil/<reference>/arrivee/annulation")
@for_roles(ADMISSIONS)
def undo_arrival(reference: str) -> Response:
    registration = find_arriving(db.session(), reference)
    if registration is not None and undo(db.session(), reference, now=utc_now()):
        note_arrival("arrival undone", registration.id)
        db.session.commit()
    return _back(reference)


@bp.post("/accueil/<reference>/place")
@for_roles(ADMISSIONS)
def seat(reference: str) -> Response:
    """Who waits and is here gets seats that are free."""
    waiting = find_arriving(db.session(), reference)
    if waiting is None or waiting.state is not RegistrationState.WAITING or waiting.submission.lead is None:
        return _back(reference)
    # By their lead's address, which finds this very registration.
    sent, email = waiting.submission, waiting.submission.lead.email
    who = Person(first_name=sent.first_name, last_name=sent.last_name, email=email, phone=sent.phone)
    try:
        walk_in(db.session(), who, slot_id=waiting.slot_id, companions=waiting.companions, now=utc_now())
    except (SlotFull, SlotClosed):
        db.session.rollback()
    else:
        note_arrival("walk-in", waiting.id)
        db.session.commit()
    return _back(reference)


def _card(reference: str) -> Response:
    registration = find_arriving(db.session(), reference)
    if registration is None:
        return make_response(render_template("backoffice/no_arrival.html"), 404)
    one = next((one for one in _those_in(registration) if one.registration.id == registration.id), None)
    free = counted(get_filling(db.session(), registration.slot))["free"]
    page = render_template("backoffice/arrival.html", one=one or standing(registration, now=utc_now()), free=free)
    registration_id = registration.id
    with writing():
        note_arrival("arrival seen", registration_id)
    return make_response(page)


def _those_in(registration: Registration) -> list[Standing]:
    """Everybody in that slot, with their place in its line and what they need."""
    return standings(list_attendees(db.session(), registration.slot), now=utc_now())


def _back(reference: str) -> Response:
    """To the door that the button stood on, or to the person's own page."""
    slot_id = request.form.get("slot", type=int)
    registration = find_arriving(db.session(), reference)
    if registration is None:
        abort(404)
    where = (
        url_for("backoffice.door", slot_id=slot_id, note=registration.submission.reference)
        if slot_id and 0 < slot_id <= LARGEST_ID
        else url_for("backoffice.welcome", reference=registration.submission.reference)
    )
    return make_response(redirect(where), 303)
