"""/admissions/contacts/<id>: one lead, proof of what they agreed to, and another name marked as reviewed."""

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ...db import LARGEST_ID, db, writing
from ...exports.columns import FORMS
from ...leads.disposable import is_disposable
from ...leads.models import Consent, ConsentOrigin, Lead, Submission
from ...leads.phones import dialled_from_france
from ...leads.unasked import find_unasked
from ...web.context import current_school, utc_now
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..editing import fingerprint
from .records import SHOWN, find_consent, latest_submission_id, read_record
from .timeline import timeline
from .words import CHANNELS, PURPOSES, came


@bp.get("/contacts/<int:lead_id>")
@for_roles(ADMISSIONS)
def lead(lead_id: int) -> Response:
    _seen("lead seen", _lead(lead_id))
    found = _lead(lead_id)
    record = read_record(db.session(), found)
    page = render_template(
        "backoffice/lead.html",
        lead=found,
        phone=dialled_from_france(found.phone) if found.phone else "",
        names=record.names,
        is_disposable=is_disposable(found.email),
        consents=record.consents,
        unasked_since=find_unasked(db.session(), [found.id]).get(found.id),
        channels=CHANNELS,
        events=timeline(record, current_school()),
        cut_at=SHOWN if record.is_cut else None,
        version=_version(found),
        bounce=record.bounce,
    )
    return make_response(page)


@bp.get("/contacts/<int:lead_id>/accords/<int:consent_id>")
@for_roles(ADMISSIONS)
def consent_proof(lead_id: int, consent_id: int) -> Response:
    """What stands on it is what was kept when it was given: the words are those of then, not today's."""
    if consent_id > LARGEST_ID or find_consent(db.session(), _lead(lead_id).id, consent_id) is None:
        abort(404)
    _seen("consent printed", _lead(lead_id), accord=consent_id)
    consent, submission = find_consent(db.session(), lead_id, consent_id) or abort(404)
    number = (submission or _lead(lead_id)).phone
    page = render_template(
        "backoffice/consent.html",
        lead=_lead(lead_id),
        phone=dialled_from_france(number) if number else "",
        consent=consent,
        unasked_since=find_unasked(db.session(), [lead_id]).get(lead_id),
        submission=submission,
        channel=CHANNELS.get(consent.channel, consent.channel),
        purpose=PURPOSES.get(consent.wording.purpose, consent.wording.purpose),
        place=_place(consent, submission),
        came=came(submission, current_school()) if submission else [],
        now=utc_now(),
    )
    return make_response(page)


@bp.post("/contacts/<int:lead_id>/verification")
@for_roles(ADMISSIONS)
def review_lead(lead_id: int) -> Response:
    """A person has looked at the names that came with one address. One that comes meanwhile is still to be seen."""
    found = _lead(lead_id)
    db.session.refresh(found, with_for_update={"key_share": True})
    if not found.needs_review or request.form.get("version") != _version(found):
        return _back(lead_id, "change-entre-temps")
    found.needs_review = False
    _note("lead reviewed", lead_id)
    db.session.commit()
    return _back(lead_id, "verifie")


def _lead(lead_id: int) -> Lead:
    return (db.session.get(Lead, lead_id) if lead_id <= LARGEST_ID else None) or abort(404)


def _seen(action: str, found: Lead, **details: int) -> None:
    """Noted before it is shown, for what can't be noted isn't shown."""
    lead_id = found.id
    with writing():
        _note(action, lead_id, **details)


def _note(action: str, lead_id: int, **details: int) -> None:
    staff_id = current_staff().id
    note(db.session(), action, staff_id=staff_id, now=utc_now(), subject="lead", subject_id=lead_id, **details)


def _version(found: Lead) -> str:
    """Of what a person who reviews this lead has seen."""
    return fingerprint(found.needs_review, latest_submission_id(db.session(), found.id))


def _place(consent: Consent, submission: Submission | None) -> str:
    if consent.origin is ConsentOrigin.SPACE or submission is None:
        return "Espace personnel du contact, ouvert par un lien reçu à son adresse"
    form = FORMS[submission.form]
    return (
        f"Formulaire « {form} », dans un cadre sur {submission.embed_host}"
        if submission.embed_host
        else (f"Formulaire « {form} », sur notre site")
    )


def _back(lead_id: int, done: str) -> Response:
    return make_response(redirect(url_for("backoffice.lead", lead_id=lead_id, fait=done)), 303)
