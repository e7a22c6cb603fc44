"""/admissions/connexion: signing in, the second step, signing out, one's own password."""

from flask import Response, make_response, redirect, render_template, request, session, url_for

from ...db import db
from ...web.context import current_school, utc_now
from ...web.fields import refuse
from ...web.links import LinkExpired, LinkForged, sign, unsign
from ..access import ALL_ROLES, current_staff, for_anyone, for_roles, sign_in, sign_out, staff
from ..audit import note
from ..blueprint import bp
from ..forms import CodeForm, PasswordForm, SignInForm, entered
from ..models import StaffMember
from ..onward import is_ours, kept_page
from .passwords import PasswordRefused, check_password, hash_password
from .proof import NOT_YOURS, Attempt, Known, begin, identified, prove_again
from .second_step import take_code
from .services import set_password

# Seconds between password and code.
_SECOND_STEP_WITHIN = 300
_PENDING = "code"
REFUSED = "Cette adresse et ce mot de passe ne vont pas ensemble."
WRONG_CODE = "Ce code n’est pas le bon, ou n’est plus valable : attendez le suivant."


@bp.route("/connexion", methods=["GET", "POST"])
@for_anyone
def enter() -> Response:
    if staff() is not None:
        return _onward()
    form = SignInForm()
    if not form.validate_on_submit():
        return make_response(render_template("backoffice/enter.html", form=form), 422 if form.is_submitted() else 200)
    attempt = begin(entered(form.email))
    known = identified(entered(form.email), entered(form.password))
    member = known.locked() if known else None
    if member is None:
        attempt.fail(None)
        db.session.commit()
        refuse(form.password, REFUSED)
        return make_response(render_template("backoffice/enter.html", form=form), 422)
    if member.totp_secret is not None:
        attempt.give_back()
        db.session.commit()
        session.clear()
        session[_PENDING] = sign(_PENDING, member.id)
        return make_response(redirect(url_for("backoffice.enter_code", suite=request.args.get("suite"))), 303)
    return _enter(member, attempt)


@bp.route("/connexion/code", methods=["GET", "POST"])
@for_anyone
def enter_code() -> Response:
    member = _pending()
    if member is None:
        return make_response(redirect(url_for("backoffice.enter", suite=request.args.get("suite"))), 303)
    form = CodeForm()
    if not form.validate_on_submit():
        return make_response(render_template("backoffice/code.html", form=form), 422 if form.is_submitted() else 200)
    attempt = begin(member.email)
    if not take_code(db.session(), member, entered(form.code), now=utc_now()):
        attempt.fail(member.id)
        db.session.commit()
        refuse(form.code, WRONG_CODE)
        return make_response(render_template("backoffice/code.html", form=form), 422)
    return _enter(member, attempt)


@bp.post("/deconnexion")
@for_roles(ALL_ROLES)
def leave() -> Response:
    note(db.session(), "sign-out", staff_id=current_staff().id, now=utc_now())
    sign_out()
    db.session.commit()
    return make_response(redirect(url_for("backoffice.enter")), 303)


@bp.route("/mot-de-passe", methods=["GET", "POST"])
@for_roles(ALL_ROLES)
def password() -> Response:
    form, onward = PasswordForm(), kept_page(url_for("backoffice.account", fait="mot-de-passe"))
    if form.validate_on_submit() and _is_changed(form):
        return make_response(redirect(onward), 303)
    page = render_template("backoffice/password.html", form=form, is_asked_for=current_staff().must_change_password)
    return make_response(page, 422 if form.is_submitted() else 200)


def _enter(member: StaffMember, attempt: Attempt) -> Response:
    attempt.succeed()
    note(db.session(), "sign-in", staff_id=member.id, now=utc_now())
    sign_in(member)
    db.session.commit()
    return _onward()


def _pending() -> StaffMember | None:
    """Who has given their password a moment ago."""
    try:
        staff_id, _ = unsign(_PENDING, session.get(_PENDING, ""), max_age=_SECOND_STEP_WITHIN)
    except (LinkForged, LinkExpired):
        return None
    member = db.session.get(StaffMember, staff_id)
    return member if member is not None and member.disabled_at is None and member.totp_secret is not None else None


def _is_changed(form: PasswordForm) -> bool:
    proven = prove_again(form.current)
    if proven is None:
        return False
    me, attempt = proven
    if not _is_accepted(form, me):
        attempt.give_back()
        db.session.commit()
        return False
    password_hash = hash_password(entered(form.new))
    member = me.locked()
    if member is None:
        refuse(form.current, NOT_YOURS)
        return False
    attempt.succeed()
    set_password(db.session(), member, password_hash, must_change=False, now=utc_now())
    note(db.session(), "password", staff_id=member.id, now=utc_now(), subject="staff", subject_id=member.id)
    sign_in(member)
    db.session.commit()
    return True


def _is_accepted(form: PasswordForm, me: Known) -> bool:
    if entered(form.new) == entered(form.current):
        refuse(form.new, "C’est celui que vous avez déjà : choisissez-en un autre.")
        return False
    try:
        check_password(entered(form.new), known=(me.name, me.email, current_school().name))
    except PasswordRefused as error:
        refuse(form.new, str(error))
        return False
    return True


def _onward() -> Response:
    """To the page that was asked for, one of ours; the home page otherwise."""
    asked = request.args.get("suite", "")
    return make_response(redirect(asked if is_ours(asked) else url_for("backoffice.home")), 303)
