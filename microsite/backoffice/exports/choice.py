"""/admissions/exports: what can be taken out, with its number; pressing a button has it prepared."""

from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy import Select

from ...db import db, reading
from ...exports.columns import FORMS
from ...exports.marks import Place, find_mark
from ...exports.models import Export, ExportKind
from ...exports.preparing import DIALECTS, is_quick, prepare, sweep
from ...exports.requests import ask, find_unfinished, latest_exports
from ...exports.sheets import fewest_leads, sheet_of
from ...exports.waves import count_new
from ...leads.filters import Agreement, LeadFilter
from ...leads.matching import count_up_to
from ...leads.models import FormName
from ...web.context import current_school, utc_now
from ..access import ADMISSIONS, current_staff, for_roles
from ..leads.words import described
from .words import DIALECTS as DIALECT_LABELS
from .words import NEW_REQUESTS, STATE_WORDS, counted_as, lines, title
from .workplace import hold_own_row, workshop

# Beyond, the page says « plus de »; the prepared file has its exact number.
COUNTED = 1000
_RECENT = 8
# What a button sends.
_PLAIN = {"demandes": ExportKind.VIEW, "appel": ExportKind.CALL, "courrier": ExportKind.WRITE}
_NEW = "nouveautes-"


@dataclass(frozen=True, kw_only=True)
class _New:
    form: FormName
    label: str
    since: datetime | None
    count: str
    is_empty: bool


def add_views(bp: Blueprint) -> None:
    bp.add_url_rule("/exports", "exports", exports)
    bp.add_url_rule("/exports", "prepare_export", prepare_export, methods=["POST"])


@for_roles(ADMISSIONS)
def exports() -> Response:
    chosen, own = _chosen(request.args), latest_exports(db.session(), current_staff().id, limit=_RECENT)
    few = fewest_leads(db.session(), chosen)
    page = render_template(
        "backoffice/exports.html",
        chosen=chosen,
        described=described(chosen, current_school()),
        requests=_count(ExportKind.VIEW, chosen, few),
        to_call=_count(ExportKind.CALL, chosen, few),
        to_write=_count(ExportKind.WRITE, chosen, few),
        news=[_new(form, label) for form, label in FORMS.items()],
        dialects=DIALECT_LABELS,
        dialect=own[0].dialect if own else next(iter(DIALECT_LABELS)),
        recent=[(one, title(one), STATE_WORDS[one.state], _rows(one)) for one in own],
    )
    return make_response(page)


@for_roles(ADMISSIONS)
def prepare_export() -> Response:
    asked = _asked(request.form.get("sorte", ""))
    dialect = request.form.get("format", "")
    if asked is None or dialect not in DIALECTS:
        return make_response(redirect(url_for("backoffice.exports", fait="export-inconnu")), 303)
    (kind, form), chosen = asked, LeadFilter() if asked[1] else _chosen(request.form)
    hold_own_row()
    unfinished = find_unfinished(db.session(), current_staff().id)
    if unfinished is not None:
        return _to(unfinished, fait="export-en-cours")
    export = _record(kind, form, chosen, dialect)
    answer = _to(export)
    _prepare_at_once(export, chosen)
    return answer


def _record(kind: ExportKind, form: FormName | None, chosen: LeadFilter, dialect: str) -> Export:
    """Committed by itself: it is prepared whatever becomes of this request."""
    staff_id = current_staff().id
    mark = find_mark(db.session(), staff_id, form) if form else Place()
    export = ask(db.session(), staff_id, kind=kind, form=form, chosen=chosen, dialect=dialect, mark=mark, now=utc_now())
    db.session.commit()
    return export


def _prepare_at_once(export: Export, chosen: LeadFilter) -> None:
    """What takes no longer than a page; the rest is the background worker's."""
    export_id, kind, form, after = export.id, export.kind, export.form, export.after_wave
    with reading():
        is_small = is_quick(kind, form, chosen, after=after)
    if is_small:
        sweep(workshop())
        prepare(export_id, workshop())


def _asked(sort: str) -> tuple[ExportKind, FormName | None] | None:
    if sort in _PLAIN:
        return _PLAIN[sort], None
    form = sort.removeprefix(_NEW)
    return (ExportKind.NEW, FormName(form)) if sort.startswith(_NEW) and form in set(FormName) else None


def _chosen(args: dict[str, str]) -> LeadFilter:
    """In which order a list was looked at doesn't matter here."""
    return replace(LeadFilter.from_args(args), sort=LeadFilter.sort, is_reversed=False)


def _new(form: FormName, label: str) -> _New:
    mark = find_mark(db.session(), current_staff().id, form)
    count = count_new(db.session(), form, after=mark.wave, limit=COUNTED + 1)
    said = lines(count, NEW_REQUESTS, limit=COUNTED)
    return _New(form=form, label=label, since=mark.at, count=said, is_empty=count == 0)


def _count(kind: ExportKind, chosen: LeadFilter, few: Select[int] | None) -> str:
    # Nobody held back, and nobody who agreed to nothing, is on a list of people.
    if kind is not ExportKind.VIEW and (chosen.is_of_submissions or chosen.consent is Agreement.NONE):
        return ""
    ids = sheet_of(kind, chosen, few).ids.order_by(None)
    return lines(count_up_to(db.session(), ids, COUNTED + 1), counted_as(kind), limit=COUNTED)


def _rows(export: Export) -> str:
    return lines(export.written, counted_as(export.kind)) if export.ready_at else ""


def _to(export: Export, *, fait: str | None = None) -> Response:
    return make_response(redirect(url_for("backoffice.export", token=export.token, fait=fait)), 303)
