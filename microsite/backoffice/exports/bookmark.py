"""/admissions/exports/marques/<form>: one's own bookmark, moved elsewhere."""

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ...db import db, writing
from ...exports.bookmarks import (
    BookmarkMoved,
    Owner,
    Position,
    batch_before,
    exports_of_new,
    find_bookmark,
    number_submissions,
    put_bookmark,
)
from ...exports.columns import FORMS
from ...exports.models import Export
from ...formatters import format_moment
from ...leads.models import FormName
from ...web.context import utc_now
from ...web.fields import ChoiceField, refuse
from ...web.typography import french
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..fields import MomentField
from ..forms import StaffForm, entered
from .words import count_label

_OFFERED = 10
_AT_A_MOMENT, _AT_THE_BEGINNING = "date", "debut"
_ELSEWHERE = {_AT_A_MOMENT: "À une date et une heure", _AT_THE_BEGINNING: "Au tout début : tout redevient nouveau"}


class BookmarkForm(StaffForm):
    place = ChoiceField("Remettre la marque")
    moment = MomentField("Date et heure", description="Pour « À une date » seulement, à l’heure de Paris.")

    def __init__(self, before: list[Export]) -> None:
        super().__init__()
        self._before = {f"export-{export.id}": export for export in before}
        options = {key: _before_label(export) for key, export in self._before.items()}
        self.place.offer({key: french(label) for key, label in (options | _ELSEWHERE).items()}, empty=None)

    def chosen_position(self) -> Position | None:
        """Return None where it isn't said, and the form tells."""
        choice = entered(self.place)
        if choice in self._before:
            export = self._before[choice]
            return Position(batch=export.after_batch, at=export.after_at)
        if choice == _AT_THE_BEGINNING:
            return Position()
        at = self.moment.moment
        if at is None or at > utc_now():
            refuse(self.moment, "Choisissez une date et une heure passées.")
            return None
        # What nobody has exported yet has no batch, and belongs before or after this moment.
        number_submissions(utc_now)
        return Position(batch=batch_before(db.session(), at), at=at)


@bp.route("/exports/marques/<form>", methods=["GET", "POST"])
@for_roles(ADMISSIONS)
def export_bookmark(form: str) -> Response:
    name = FormName(form) if form in set(FormName) else abort(404)
    staff_id = current_staff().id
    bookmark = find_bookmark(db.session(), Owner(staff_id=staff_id), name)
    filled = BookmarkForm(exports_of_new(db.session(), staff_id, name, limit=_OFFERED))
    # Two tabs: what was decided from another place is looked at again.
    has_moved = request.method == "POST" and request.form.get("vu") != str(bookmark.batch)
    if not has_moved and filled.validate_on_submit():
        position = filled.chosen_position()
        if position is not None:
            try:
                return _put(staff_id, name, position, after=bookmark.batch)
            except BookmarkMoved:
                has_moved = True
    page = render_template(
        "backoffice/export_bookmark.html", form=filled, label=FORMS[name], bookmark=bookmark, has_moved=has_moved
    )
    return make_response(page, 409 if has_moved else 422 if filled.is_submitted() else 200)


def _put(staff_id: int, form: FormName, position: Position, *, after: int) -> Response:
    with writing():
        put_bookmark(db.session(), Owner(staff_id=staff_id), form, position, after=after)
        shown = format_moment(position.at) if position.at else "début"
        note(
            db.session(),
            "export mark moved",
            staff_id=staff_id,
            now=utc_now(),
            formulaire=form.value,
            marque=shown,
        )
    return make_response(redirect(url_for("backoffice.exports", fait="marque-deplacee")), 303)


def _before_label(export: Export) -> str:
    return f"Avant l’export du {format_moment(export.exported_at)} ({count_label(export.row_count)})"
