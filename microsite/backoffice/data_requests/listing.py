"""/admissions/demandes-donnees: what is asked about people's data, by when it is due, and what was done."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ...db import LARGEST_ID, db, writing
from ...leads.models import Lead
from ...privacy.data_requests import ask, latest_done, list_open, open_requests
from ...privacy.models import PrivacyRequest, RequestKind
from ...privacy.queries import LeadErased, lock_lead
from ...web.context import utc_now
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..labels import REQUEST_KINDS

# Open ones on the page: nobody has so many. And done ones.
_SHOWN, _DONE = 200, 50


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An open request, as a line."""

    id: int
    kind: str
    name: str
    asked_at: datetime
    due_at: datetime
    is_overdue: bool


@bp.get("/demandes-donnees")
@for_roles(ADMISSIONS)
def data_requests() -> Response:
    now = utc_now()
    asked = [_line(row, now) for row in list_open(db.session(), limit=_SHOWN)]
    with writing():
        note(db.session(), "privacy requests listed", staff_id=current_staff().id, now=now, lignes=len(asked))
    page = render_template(
        "backoffice/data_requests.html",
        asked=asked,
        answered=latest_done(db.session(), limit=_DONE),
        kinds=REQUEST_KINDS,
    )
    return make_response(page)


@bp.post("/contacts/<int:lead_id>/demandes")
@for_roles(ADMISSIONS)
def note_data_request(lead_id: int) -> Response:
    """One that came by letter or telephone: its month begins when it is noted, and the person has it in writing."""
    found = (db.session.get(Lead, lead_id) if lead_id <= LARGEST_ID else None) or abort(404)
    kind, now = request.form.get("kind", type=RequestKind) or abort(400), utc_now()
    try:
        lock_lead(db.session(), found)
    except LeadErased:
        abort(404)
    if ask(db.session(), found, kind, now=now):
        found.last_contact_at = now
        staff_id = current_staff().id
        note(db.session(), "privacy request noted", staff_id=staff_id, now=now, subject="lead", subject_id=lead_id)
    request_id = next(row.id for row in open_requests(db.session(), lead_id) if row.kind is kind)
    db.session.commit()
    return make_response(redirect(url_for("backoffice.data_request", request_id=request_id)), 303)


def _line(row: tuple[PrivacyRequest, Lead], now: datetime) -> Asked:
    asked, lead = row
    return Asked(
        id=asked.id,
        kind=REQUEST_KINDS[asked.kind],
        name=f"{lead.first_name} {lead.last_name}",
        asked_at=asked.asked_at,
        due_at=asked.due_at,
        is_overdue=asked.due_at < now,
    )
