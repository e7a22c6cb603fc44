"""/admissions/compte: one's own account, and its second step."""

import io

from flask import Response, make_response, redirect, render_template, session, url_for
from markupsafe import Markup

from ...db import db
from ...web.context import current_school, utc_now
from ...web.fields import refuse
from ..access import ALL_ROLES, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..forms import NewCodeForm, PasswordAgainForm, entered
from ..models import StaffMember
from ..onward import forget_page, kept_page
from .proof import proven_owner
from .second_step import codes_left, draw_secret, matching_step, provisioning_url, switch_off, switch_on
from .services import end_all_sessions
from .sign_in import WRONG_CODE

_SECRET = "totp"  # noqa: S105  # a key of the session


@bp.get("/compte")
@for_roles(ALL_ROLES)
def account() -> Response:
    return _account_page(PasswordAgainForm())


@bp.route("/compte/double-verification", methods=["GET", "POST"])
@for_roles(ALL_ROLES)
def second_step() -> Response:
    """Scan, then type the first code: a secret that no telephone has would lock its owner out.

    And the password: who finds a browser signed in doesn't take the account over (OWASP ASVS 5.0, 7.5.1).
    """
    form = NewCodeForm()
    # Until it is confirmed it is in the session alone, signed: the browser's owner sees it anyway.
    secret = session.setdefault(_SECRET, draw_secret())
    if form.validate_on_submit():
        step = matching_step(secret, entered(form.code), now=utc_now())
        if step is None:
            refuse(form.code, WRONG_CODE)
        elif (owner := proven_owner(form.password)) is not None:
            codes = switch_on(db.session(), owner, secret, step=step)
            _changed("second step on", owner)
            db.session.commit()
            session.pop(_SECRET)
            onward = kept_page(url_for("backoffice.account"))
            forget_page()
            return make_response(render_template("backoffice/recovery_codes.html", codes=codes, onward=onward))
    address = provisioning_url(secret, email=_member().email, issuer=current_school().name)
    page = render_template(
        "backoffice/second_step.html",
        form=form,
        secret=secret,
        code=_drawn(address),
        is_asked_for=current_staff().owes_second_step,
    )
    return make_response(page, 422 if form.is_submitted() else 200)


@bp.post("/compte/double-verification/arret")
@for_roles(ALL_ROLES)
def stop_second_step() -> Response:
    form = PasswordAgainForm()
    member = proven_owner(form.password) if form.validate() else None
    if member is None:
        return _account_page(form, status=422)
    switch_off(db.session(), member)
    _changed("second step off", member)
    db.session.commit()
    return make_response(redirect(url_for("backoffice.account", fait="double-verification-arretee")), 303)


def _account_page(form: PasswordAgainForm, *, status: int = 200) -> Response:
    member = _member()
    left = codes_left(db.session(), member)
    return make_response(render_template("backoffice/account.html", member=member, codes_left=left, form=form), status)


def _member() -> StaffMember:
    return db.session.get_one(StaffMember, current_staff().id)


def _changed(action: str, member: StaffMember) -> None:
    """Whoever is in by another browser is to prove themselves anew (OWASP ASVS 5.0, 7.4.3)."""
    now = utc_now()
    end_all_sessions(db.session(), member, but=current_staff().session_id, now=now)
    note(db.session(), action, staff_id=member.id, now=now, subject="staff", subject_id=member.id)


def _drawn(address: str) -> Markup:
    # Loaded by whoever draws one.
    import segno

    file = io.BytesIO()
    segno.make_qr(address, error="m").save(
        file, kind="svg", border=4, scale=5, dark="#000", light="#fff", xmldecl=False, title="Code QR à scanner"
    )
    return Markup(file.getvalue().decode())  # noqa: S704  # drawn here
