"""/admissions/exports/marques/<form>: one's own mark, put elsewhere."""

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from ...db import db
from ...exports.columns import FORMS
from ...exports.marks import Place, find_mark, places_before, put_mark
from ...exports.models import Export
from ...exports.waves import wave_before
from ...formatters import format_moment
from ...leads.models import FormName
from ...web.context import utc_now
from ...web.fields import ChoiceField, refuse
from ...web.typography import french
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..fields import MomentField
from ..forms import StaffForm, entered
from .words import lines
from .workplace import hold_own_row

_OFFERED = 10
_AT_A_MOMENT, _AT_THE_BEGINNING = "date", "debut"
_ELSEWHERE = {_AT_A_MOMENT: "À une date et une heure", _AT_THE_BEGINNING: "Au tout début : tout redevient nouveau"}


class MarkForm(StaffForm):
    place = ChoiceField("Remettre la marque")
    moment = MomentField("Date et heure", description="Pour « À une date » seulement, à l’heure de Paris.")

    def __init__(self, before: list[Export]) -> None:
        super().__init__()
        self._before = {f"export-{export.id}": export for export in before}
        options = {key: _before_label(export) for key, export in self._before.items()}
        self.place.offer({key: french(label) for key, label in (options | _ELSEWHERE).items()}, empty=None)

    def chosen_place(self) -> Place | None:
        """None where it isn't said, and the form tells."""
        choice = entered(self.place)
        if choice in self._before:
            export = self._before[choice]
            return Place(wave=export.after_wave, at=export.after_at)
        if choice == _AT_THE_BEGINNING:
            return Place()
        at = self.moment.moment
        if at is None or at > utc_now():
            refuse(self.moment, "Choisissez une date et une heure passées.")
            return None
        return Place(wave=wave_before(db.session(), at), at=at)


def add_views(bp: Blueprint) -> None:
    bp.add_url_rule("/exports/marques/<form>", "export_mark", export_mark, methods=["GET", "POST"])


@for_roles(ADMISSIONS)
def export_mark(form: str) -> Response:
    name = FormName(form) if form in set(FormName) else abort(404)
    if request.method == "POST":
        hold_own_row()
    staff_id = current_staff().id
    mark = find_mark(db.session(), staff_id, name)
    filled = MarkForm(places_before(db.session(), staff_id, name, limit=_OFFERED))
    # Two tabs: what was decided from another place is looked at again.
    has_moved = request.method == "POST" and request.form.get("vu") != str(mark.wave)
    if not has_moved and filled.validate_on_submit():
        place = filled.chosen_place()
        if place is not None:
            return _put(staff_id, name, place)
    page = render_template(
        "backoffice/export_mark.html", form=filled, label=FORMS[name], mark=mark, has_moved=has_moved
    )
    return make_response(page, 409 if has_moved else 422 if filled.is_submitted() else 200)


def _put(staff_id: int, form: FormName, place: Place) -> Response:
    put_mark(db.session(), staff_id, form, place)
    said = format_moment(place.at) if place.at else "début"
    note(db.session(), "export mark moved", staff_id=staff_id, now=utc_now(), formulaire=form.value, marque=said)
    db.session.commit()
    return make_response(redirect(url_for("backoffice.exports", fait="marque-deplacee")), 303)


def _before_label(export: Export) -> str:
    return f"Avant l’export du {format_moment(export.cut_at or export.asked_at)} ({lines(export.written)})"
