"""/admissions/portes-ouvertes: the open days and how they fill; a day planned, changed, called off."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ...db import LARGEST_ID, db
from ...formatters import PARIS
from ...open_days import planning
from ...open_days.attendance import is_today
from ...open_days.models import OpenDay, Slot
from ...open_days.plan_words import TITLE
from ...open_days.planning import lock_planning, plan_open_day
from ...open_days.queries import waiting_alerts
from ...open_days.rosters import SlotFilling, count_told, days_on, is_planned, list_fillings, list_past
from ...web.context import utc_now
from ...web.fields import refuse
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..editing import answered
from .forms import DayForm, NewDayForm, SlotsForm

_PAGE = 60


@dataclass(frozen=True, kw_only=True)
class _DayShown:
    day: OpenDay
    fillings: list[SlotFilling]
    is_ahead: bool


@bp.get("/portes-ouvertes")
@for_roles(ADMISSIONS)
def open_days() -> Response:
    now = utc_now()
    is_past = "passees" in request.args
    if is_past:
        before = db.session.get(Slot, _number("avant"))
        fillings = list_past(db.session(), now=now, before=before, limit=_PAGE + 1)
    else:
        fillings = list_fillings(db.session(), after=now)
    more = fillings[_PAGE - 1].slot.id if is_past and len(fillings) > _PAGE else None
    page = render_template(
        "backoffice/open_days.html",
        days=_by_day(fillings[:_PAGE] if is_past else fillings),
        is_past=is_past,
        more=more,
        alerts=waiting_alerts(db.session()),
        is_today=lambda slot: is_today(slot, now=now),
    )
    return make_response(page)


@bp.route("/portes-ouvertes/nouvelle", methods=["GET", "POST"])
@for_roles(ADMISSIONS)
def new_day() -> Response:
    form = NewDayForm(data={"title": TITLE})
    if form.validate_on_submit():
        lock_planning(db.session())
        plan, plans = form.day_plan(), form.plans(others=(), now=utc_now())
        if plan and plans and is_planned(db.session(), plan, plans):
            refuse(form.rows[0][0], "Cette journée a déjà un créneau à cette heure.")
        elif plan and plans:
            held = days_on(db.session(), plans[0].starts_at.astimezone(PARIS).date())
            day = plan_open_day(db.session(), plan, plans, now=utc_now())
            return done("open day planned", day, "journee-de-plus" if held else "journee-prevue", slots=len(plans))
    page = render_template("backoffice/new_day.html", form=form, day=None)
    return answered(page, form)


@bp.route("/portes-ouvertes/journees/<int:day_id>/creneaux", methods=["GET", "POST"])
@for_roles(ADMISSIONS)
def add_slots(day_id: int) -> Response:
    form, day = SlotsForm(), find_day(day_id, is_locked=request.method == "POST")
    if form.validate_on_submit():
        there = [slot for slot in day.slots if slot.cancelled_at is None]
        plans = form.plans(others=there, now=utc_now())
        if plans:
            planning.add_slots(db.session(), day, plans, now=utc_now())
            return done("slots added", day, "creneaux-ajoutes", slots=len(plans))
    return answered(render_template("backoffice/new_day.html", form=form, day=day), form)


@bp.route("/portes-ouvertes/journees/<int:day_id>", methods=["GET", "POST"])
@for_roles(ADMISSIONS)
def edit_day(day_id: int) -> Response:
    day = find_day(day_id, is_locked=request.method == "POST")
    ahead = _ahead(day)
    if not ahead:
        return _too_late(day)
    form = DayForm(day)
    clashes = form.take_clashes() if form.is_submitted() else []
    if not clashes and form.validate_on_submit():
        plan = form.day_plan()
        if plan is not None:
            told = planning.edit_day(db.session(), day, plan, now=utc_now())
            return done("open day edited", day, "journee-modifiee", told=told)
    told = count_told(db.session(), ahead)
    page = render_template("backoffice/edit_day.html", form=form, day=day, told=told, clashes=clashes)
    return answered(page, form, clashes)


@bp.route("/portes-ouvertes/journees/<int:day_id>/annulation", methods=["GET", "POST"])
@for_roles(ADMISSIONS)
def cancel_day(day_id: int) -> Response:
    """Asked first, with how many people it concerns; done by the button."""
    day = find_day(day_id, is_locked=request.method == "POST")
    ahead = _ahead(day)
    if not ahead:
        return _too_late(day)
    if request.method == "POST":
        told = planning.cancel_day(db.session(), day, now=utc_now())
        return done("open day cancelled", day, "journee-annulee", told=told)
    told = count_told(db.session(), ahead)
    return make_response(render_template("backoffice/cancel.html", day=day, slots=ahead, told=told))


def find_day(day_id: int, *, is_locked: bool) -> OpenDay:
    """Locked, nobody else plans meanwhile."""
    if is_locked:
        lock_planning(db.session())
    found = db.session.get(OpenDay, day_id) if day_id <= LARGEST_ID else None
    return found or abort(404)


def done(action: str, subject: OpenDay | Slot, key: str, **details: int) -> Response:
    """Note it, commit, and go to where it shows."""
    kind = "open day" if isinstance(subject, OpenDay) else "slot"
    db.session.flush()
    staff_id = current_staff().id
    note(db.session(), action, staff_id=staff_id, now=utc_now(), subject=kind, subject_id=subject.id, **details)
    is_slot_left = isinstance(subject, Slot) and subject.cancelled_at is None
    where = (
        url_for("backoffice.slot", slot_id=subject.id, fait=key)
        if is_slot_left
        else url_for("backoffice.open_days", fait=key)
    )
    db.session.commit()
    return make_response(redirect(where), 303)


def _ahead(day: OpenDay) -> list[Slot]:
    return [slot for slot in day.slots if slot.cancelled_at is None and slot.starts_at > utc_now()]


def _too_late(day: OpenDay) -> Response:
    return make_response(render_template("backoffice/too_late.html", day=day), 409)


def _by_day(fillings: Iterable[SlotFilling]) -> list[_DayShown]:
    """In the order of their first slots here."""
    days: dict[int, list[SlotFilling]] = {}
    for filling in fillings:
        days.setdefault(filling.slot.open_day_id, []).append(filling)
    return [
        _DayShown(day=them[0].slot.open_day, fillings=them, is_ahead=any(_is_ahead(one) for one in them))
        for them in days.values()
    ]


def _is_ahead(filling: SlotFilling) -> bool:
    return filling.slot.cancelled_at is None and filling.slot.starts_at > utc_now()


def _number(name: str) -> int:
    number = request.args.get(name, 0, type=int)
    return number if 0 < number <= LARGEST_ID else 0
