"""/admissions/compte/navigateurs: where one is signed in, and how to end it elsewhere (OWASP ASVS 5.0, 7.5.2)."""

from flask import Response, make_response, redirect, render_template, url_for

from ...db import db
from ...web.context import utc_now
from ..access import ALL_ROLES, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..forms import PasswordAgainForm
from .proof import proven_owner
from .services import end_all_sessions, open_sessions


@bp.route("/compte/navigateurs", methods=["GET", "POST"])
@for_roles(ALL_ROLES)
def browsers() -> Response:
    form, me = PasswordAgainForm(), current_staff()
    member = proven_owner(form.password) if form.validate_on_submit() else None
    if member is not None:
        end_all_sessions(db.session(), member, but=me.session_id, now=utc_now())
        note(db.session(), "others signed out", staff_id=me.id, now=utc_now(), subject="staff", subject_id=me.id)
        db.session.commit()
        return make_response(redirect(url_for("backoffice.browsers", fait="autres-deconnectes")), 303)
    sessions = open_sessions(db.session(), me.id, now=utc_now())
    page = render_template("backoffice/browsers.html", form=form, sessions=sessions, own=me.session_id)
    return make_response(page, 422 if form.is_submitted() else 200)
