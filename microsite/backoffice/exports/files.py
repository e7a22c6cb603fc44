"""/admissions/exports/<token>: how far an export is, and its file, for the one person who asked for it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, render_template, send_file, url_for

from ...db import db, writing
from ...exports.marks import advance_mark, find_mark
from ...exports.models import TOKEN_LIMIT, Export, ExportState
from ...exports.requests import LIFETIME, SILENCE, file_name, find_export, give_up, is_available
from ...leads.filters import LeadFilter
from ...web.context import current_school, utc_now
from ...web.typography import french
from ..access import ADMISSIONS, by_itself, current_staff, for_roles
from ..audit import note
from ..leads.words import described
from .words import DIALECTS, KINDS, counted_as, download_name, lines, title
from .workplace import hold_own_row, workshop

# A worker looks every two seconds: one that hasn't come by then doesn't run.
_PATIENCE = timedelta(seconds=20)


def add_views(bp: Blueprint) -> None:
    at = "/exports/<token>"
    bp.add_url_rule(at, "export", export)
    bp.add_url_rule(f"{at}/avancement", "export_progress", progress)
    bp.add_url_rule(f"{at}/telechargement", "fetch_export", fetch, methods=["POST"])
    bp.add_url_rule(f"{at}/fichier", "export_file", file)
    bp.add_url_rule(f"{at}/abandon", "drop_export", drop, methods=["POST"])


@for_roles(ADMISSIONS)
def export(token: str) -> Response:
    found, now = _export(token), utc_now()
    page = render_template(
        "backoffice/export.html",
        export=found,
        title=title(found),
        described=described(LeadFilter.from_args(found.filter), current_school()),
        dialect=DIALECTS[found.dialect],
        rows=lines(found.written, counted_as(found.kind)),
        file=_path(found),
        until=found.ready_at and found.ready_at + LIFETIME,
        nobody_came=found.state is ExportState.WAITING and found.beat_at < now - _PATIENCE,
        is_silent=found.state is ExportState.RUNNING and found.beat_at < now - SILENCE,
        mark_has_moved=_mark_has_moved(found),
        progress=_told(found),
    )
    return make_response(page)


@by_itself
@for_roles(ADMISSIONS)
def progress(token: str) -> Response:
    """For the page that shows it, every second or so."""
    found = _export(token)
    return jsonify(done=not found.is_unfinished, written=found.written, total=found.total, told=french(_told(found)))


@for_roles(ADMISSIONS)
def fetch(token: str) -> Response:
    """The file is there and somebody takes it: from here on what it holds isn't new to them."""
    hold_own_row()
    found = _export(token)
    if _path(found) is None:
        return _back(token)
    if found.fetched_at is None:
        advance_mark(db.session(), found)
        found.fetched_at = utc_now()
    db.session.commit()
    return make_response(redirect(url_for("backoffice.export_file", token=token)), 303)


@for_roles(ADMISSIONS)
def file(token: str) -> Response:
    found = _export(token)
    path, name, details = _path(found), download_name(found), _details(found)
    if path is None or found.fetched_at is None:
        return _back(token)
    export_id, staff_id, now = found.id, current_staff().id, utc_now()
    # Noted before it is given, each time.
    with writing():
        details |= {"subject": "export", "subject_id": export_id}
        note(db.session(), "leads exported", staff_id=staff_id, now=now, **details)
    response = send_file(path, mimetype="text/csv", as_attachment=True, download_name=name, conditional=False)
    response.headers["Cache-Control"] = "no-store"
    return response


@for_roles(ADMISSIONS)
def drop(token: str) -> Response:
    was_unfinished = give_up(db.session(), _export(token))
    db.session.commit()
    return _back(token, fait="export-abandonne" if was_unfinished else None)


def _export(token: str) -> Export:
    return find_export(db.session(), token[: TOKEN_LIMIT + 1], staff_id=current_staff().id) or abort(404)


def _path(found: Export) -> Path | None:
    """Where the file is, as long as it is to be had and as long as it was."""
    if not is_available(found, now=utc_now()):
        return None
    path = workshop().folder / file_name(found.token, found.attempts)
    return path if path.is_file() and path.stat().st_size == found.size else None


def _details(found: Export) -> dict[str, Any]:
    """For the audit log, hence without what was searched for."""
    summary = LeadFilter.from_args(found.filter).summary()
    own = {"formulaire": found.form.value} if found.form else {}
    return {"sorte": KINDS[found.kind], "lignes": found.written, "format": found.dialect} | summary | own


def _mark_has_moved(found: Export) -> bool:
    if found.form is None or found.fetched_at is not None:
        return False
    return find_mark(db.session(), found.staff_id, found.form).wave != found.after_wave


def _told(found: Export) -> str:
    if found.state is ExportState.WAITING:
        return "En attente…"
    if found.total is None:
        return "Recherche des lignes…"
    return f"{found.written:,} lignes écrites sur {found.total:,}".replace(",", " ")


def _back(token: str, *, fait: str | None = None) -> Response:
    return make_response(redirect(url_for("backoffice.export", token=token, fait=fait)), 303)
