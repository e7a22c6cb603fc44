"""/admissions/demandes-donnees/<id>: one request, answered by a copy that is handed over, or by an erasure."""

import logging

from flask import Response, abort, make_response, redirect, render_template, url_for

from ...db import LARGEST_ID, db, writing
from ...keys import ERASURE_FILE
from ...keys.fingerprints import KeyRefused, check_keys
from ...leads.models import Lead
from ...privacy.cleanup import clean_up
from ...privacy.data_export import count_rows, export_person, write_json
from ...privacy.erased_addresses import erasure_key
from ...privacy.erasure import erase_person
from ...privacy.models import PrivacyRequest, RequestKind
from ...web.context import current_school, current_settings, utc_now
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..labels import REQUEST_KINDS
from ..looks import looks_at

logger = logging.getLogger("microsite.backoffice")


@bp.get("/demandes-donnees/<int:request_id>")
@for_roles(ADMISSIONS)
def data_request(request_id: int) -> Response:
    found = _find(request_id)
    # Who it was is nobody's business any more once it is done.
    lead = db.session.get(Lead, found.lead_id) if found.lead_id and found.done_at is None else None
    if lead is not None:
        _seen(request_id)
    page = render_template(
        "backoffice/data_request.html",
        asked=found,
        lead=lead,
        kind=REQUEST_KINDS[found.kind],
        is_erasure=found.kind is RequestKind.ERASURE,
        is_overdue=found.done_at is None and found.due_at < utc_now(),
    )
    return make_response(page)


@bp.post("/demandes-donnees/<int:request_id>/copie")
@for_roles(ADMISSIONS)
def data_copy(request_id: int) -> Response:
    """The file, noted before it is given; what it holds is as it stands now."""
    found, lead = _open(request_id)
    export, looks = export_person(db.session(), lead.email), looks_at(db.session(), lead.id)
    site_url = current_settings().site_url
    text = write_json(export, looks, school=current_school(), site_url=site_url, now=utc_now())
    _note("data copied", found.id)
    db.session.commit()
    response = make_response(text)
    response.mimetype = "application/json"
    response.headers.set("Content-Disposition", "attachment", filename=f"copie-donnees-{request_id}.json")
    return response


@bp.post("/demandes-donnees/<int:request_id>/remise")
@for_roles(ADMISSIONS)
def hand_over(request_id: int) -> Response:
    """The person has their copy: the request is answered."""
    found, _ = _open(request_id, kind=RequestKind.COPY)
    db.session.refresh(found, with_for_update=True)
    if found.done_at is None:
        found.done_at = utc_now()
        _note("data handed over", request_id)
        db.session.commit()
    return _to_list("copie-remise")


@bp.get("/demandes-donnees/<int:request_id>/effacement")
@for_roles(ADMISSIONS)
def data_erasure(request_id: int) -> Response:
    """What will go, before it does."""
    _open(request_id, kind=RequestKind.ERASURE)
    _seen(request_id)
    found, lead = _open(request_id)
    page = render_template(
        "backoffice/data_erasure.html",
        asked=found,
        lead=lead,
        counts=count_rows(export_person(db.session(), lead.email)),
    )
    return make_response(page)


@bp.post("/demandes-donnees/<int:request_id>/effacement")
@for_roles(ADMISSIONS)
def erase_data(request_id: int) -> Response:
    found, lead = _open(request_id, kind=RequestKind.ERASURE)
    lead_id, address, folder = lead.id, lead.email, current_settings().instance_path
    try:
        check_keys(db.session(), folder, ERASURE_FILE)
    except (KeyRefused, OSError):
        db.session.rollback()
        logger.warning("nobody was erased: this server's erasure_key isn't the database's; see ops check")
        return _to_list("cle-effacement")
    erased = erase_person(db.session(), address, key=erasure_key(folder), now=utc_now())
    if not erased[Lead.__tablename__]:
        # Two who press at the same moment: the other one has.
        db.session.rollback()
        return _to_list("personne-effacee")
    _note("data erased", found.id, contact=lead_id, rows=sum(erased.values()))
    db.session.commit()
    try:
        is_over = clean_up(folder, now=utc_now())
    except OSError as error:
        logger.warning("files of an erased person can't be removed yet: %s", error.strerror)
        is_over = False
    return _to_list("personne-effacee" if is_over else "personne-effacee-traces")


def _find(request_id: int) -> PrivacyRequest:
    return (db.session.get(PrivacyRequest, request_id) if request_id <= LARGEST_ID else None) or abort(404)


def _open(request_id: int, *, kind: RequestKind | None = None) -> tuple[PrivacyRequest, Lead]:
    """A request that is to be answered still, and its person; 410 once done, 404 if it asks for something else."""
    found = _find(request_id)
    lead = db.session.get(Lead, found.lead_id) if found.lead_id and found.done_at is None else None
    if lead is None:
        abort(410)
    if kind not in (None, found.kind):
        abort(404)
    return found, lead


def _seen(request_id: int) -> None:
    """Noted before it is shown, for what can't be noted isn't shown."""
    with writing():
        _note("privacy request seen", request_id)


def _note(action: str, request_id: int, **details: int) -> None:
    about = {"subject": "privacy request", "subject_id": request_id}
    note(db.session(), action, staff_id=current_staff().id, now=utc_now(), **about, **details)  # type: ignore[arg-type]


def _to_list(done: str) -> Response:
    return make_response(redirect(url_for("backoffice.data_requests", fait=done)), 303)
