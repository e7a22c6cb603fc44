"""/admissions/connexion: signing in, the second step, signing out, one's own password."""

import hmac

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, session, url_for

from ...db import db, reading
from ...leads.normalise import email_key
from ...web.context import current_school, utc_now
from ...web.fields import refuse
from ...web.links import LinkExpired, LinkForged, sign, unsign
from ..access import ALL_ROLES, PREFIX, current_staff, for_anyone, for_roles, sign_in, sign_out, staff
from ..audit import note
from ..forms import CodeForm, PasswordForm, SignInForm, entered
from ..models import StaffMember
from .passwords import PasswordRefused, check_password, is_password
from .second_step import take_code
from .services import authenticate, set_password
from .throttle import note_attempt, remaining_wait

# Seconds between password and code.
_SECOND_STEP_WITHIN = 300
_PENDING = "code"
REFUSED = "Cette adresse et ce mot de passe ne vont pas ensemble."
WRONG_CODE = "Ce code n’est pas le bon, ou n’est plus valable : attendez le suivant."


def add_views(bp: Blueprint) -> None:
    bp.add_url_rule("/connexion", "enter", enter, methods=["GET", "POST"])
    bp.add_url_rule("/connexion/code", "enter_code", enter_code, methods=["GET", "POST"])
    bp.add_url_rule("/deconnexion", "leave", leave, methods=["POST"])
    bp.add_url_rule("/mot-de-passe", "password", password, methods=["GET", "POST"])


@for_anyone
def enter() -> Response:
    if staff() is not None:
        return _onward()
    form = SignInForm()
    if not form.validate_on_submit():
        return make_response(render_template("backoffice/enter.html", form=form), 422 if form.is_submitted() else 200)
    account = _fingerprint(email_key(entered(form.email)))
    # Slow on purpose: nobody who writes waits for it.
    with reading():
        wait = _wait(account)
        found = None if wait else authenticate(db.session(), email=entered(form.email), password=entered(form.password))
        proven = (found.id, found.password_hash) if found else None
    if wait:
        return _too_often(wait)
    member = _unchanged(*proven) if proven else None
    if member is None:
        _note_failure(account, None)
        refuse(form.password, REFUSED)
        return make_response(render_template("backoffice/enter.html", form=form), 422)
    if member.totp_secret is not None:
        session.clear()
        session[_PENDING] = sign(_PENDING, member.id)
        return make_response(redirect(url_for("backoffice.enter_code", suite=request.args.get("suite"))), 303)
    return _enter(member, account)


def _unchanged(staff_id: int, password_hash: str) -> StaffMember | None:
    """Locked; None where the account was disabled, or its password changed, while it was being judged."""
    member = db.session.get_one(StaffMember, staff_id, with_for_update=True, populate_existing=True)
    return member if member.disabled_at is None and member.password_hash == password_hash else None


@for_anyone
def enter_code() -> Response:
    member = _pending()
    if member is None:
        return make_response(redirect(url_for("backoffice.enter", suite=request.args.get("suite"))), 303)
    form = CodeForm()
    if not form.validate_on_submit():
        return make_response(render_template("backoffice/code.html", form=form), 422 if form.is_submitted() else 200)
    account = _fingerprint(member.email)
    if wait := _wait(account):
        return _too_often(wait)
    if not take_code(db.session(), member, entered(form.code), now=utc_now()):
        _note_failure(account, member)
        refuse(form.code, WRONG_CODE)
        return make_response(render_template("backoffice/code.html", form=form), 422)
    return _enter(member, account)


@for_roles(ALL_ROLES)
def leave() -> Response:
    note(db.session(), "sign-out", staff_id=current_staff().id, now=utc_now())
    sign_out()
    db.session.commit()
    response = make_response(redirect(url_for("backoffice.enter")), 303)
    # OWASP ASVS 5.0, 14.3.1: nothing of what was seen stays in the browser.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@for_roles(ALL_ROLES)
def password() -> Response:
    form = PasswordForm()
    member = db.session.get_one(StaffMember, current_staff().id)
    if form.validate_on_submit() and _is_accepted(form, member):
        set_password(db.session(), member, entered(form.new), must_change=False, now=utc_now())
        note(db.session(), "password", staff_id=member.id, now=utc_now(), subject="staff", subject_id=member.id)
        sign_in(member)
        db.session.commit()
        return make_response(redirect(url_for("backoffice.account", fait="mot-de-passe")), 303)
    page = render_template("backoffice/password.html", form=form, is_asked_for=member.must_change_password)
    return make_response(page, 422 if form.is_submitted() else 200)


def _enter(member: StaffMember, account: str) -> Response:
    now = utc_now()
    note_attempt(db.session(), account=account, address=_address(), is_success=True, now=now)
    note(db.session(), "sign-in", staff_id=member.id, now=now)
    sign_in(member)
    db.session.commit()
    return _onward()


def _note_failure(account: str, member: StaffMember | None) -> None:
    now = utc_now()
    note_attempt(db.session(), account=account, address=_address(), is_success=False, now=now)
    note(db.session(), "sign-in refused", staff_id=member.id if member else None, now=now)
    db.session.commit()


def _pending() -> StaffMember | None:
    """Who has given their password a moment ago."""
    try:
        staff_id, _ = unsign(_PENDING, session.get(_PENDING, ""), max_age=_SECOND_STEP_WITHIN)
    except (LinkForged, LinkExpired):
        return None
    member = db.session.get(StaffMember, staff_id)
    return member if member is not None and member.disabled_at is None and member.totp_secret is not None else None


def _is_accepted(form: PasswordForm, member: StaffMember) -> bool:
    if not is_password(entered(form.current), member.password_hash):
        refuse(form.current, "Ce n’est pas votre mot de passe actuel.")
        return False
    if entered(form.new) == entered(form.current):
        refuse(form.new, "C’est celui que vous avez déjà : choisissez-en un autre.")
        return False
    try:
        check_password(entered(form.new), known=(member.name, member.email, current_school().name))
    except PasswordRefused as error:
        refuse(form.new, str(error))
        return False
    return True


def _onward() -> Response:
    """To the page that was asked for, one of ours; the home page otherwise."""
    asked = request.args.get("suite", "")
    # Nothing that a header can't hold, or that browsers read as a slash.
    is_ours = asked.startswith(f"{PREFIX}/") and asked.isprintable() and "\\" not in asked
    return make_response(redirect(asked if is_ours else url_for("backoffice.home")), 303)


def _wait(account: str) -> int:
    """Seconds until this account may be tried from here."""
    wait = remaining_wait(db.session(), account=account, address=_address(), now=utc_now())
    return int(wait.total_seconds()) + 1 if wait else 0


def _too_often(seconds: int) -> Response:
    page = render_template("backoffice/wait.html", minutes=-(-seconds // 60))
    return make_response(page, 429, {"Retry-After": str(seconds)})


def _address() -> str:
    return _fingerprint(request.remote_addr or "")


def _fingerprint(text: str) -> str:
    key = current_app.secret_key
    if not isinstance(key, str):
        raise TypeError("the application has no secret key")
    return hmac.digest(key.encode(), f"sign-in\0{text}".encode(), "sha256").hex()
