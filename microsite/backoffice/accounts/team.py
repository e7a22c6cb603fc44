"""/admissions/equipe: accounts, for administrators; /admissions/journal: what everybody did."""

from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from wtforms.validators import DataRequired

from ...db import LARGEST_ID, db, reading
from ...leads.forms import EMAIL_KEYS, EmailField
from ...text import sort_key
from ...web.context import utc_now
from ...web.fields import ChoiceField, NameField, refuse
from ..access import ADMINISTRATORS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..editing import EditForm, answered
from ..forms import StaffForm, entered
from ..models import NAME_LIMIT, AuditEntry, Role, StaffMember
from .passwords import draw_password, hash_password
from .second_step import switch_off
from .services import StaffExists, add_staff, disable, enable, set_password

ROLES = {
    Role.ADMISSIONS: "Admissions",
    Role.MARKETING: "Marketing",
    Role.ADMINISTRATOR: "Administration",
}
_ENTRIES = 100


class MemberWords(StaffForm):
    name = NameField("Nom", [DataRequired("Saisissez le nom de cette personne.")], limit=NAME_LIMIT)
    role = ChoiceField("Rôle", [DataRequired("Choisissez un rôle.")])

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.role.offer({role.value: label for role, label in ROLES.items()})


class NewMemberForm(MemberWords):
    email = EmailField(
        "Adresse e-mail",
        [DataRequired("Saisissez son adresse e-mail.")],
        render_kw=EMAIL_KEYS | {"autocomplete": "off"},
    )


class MemberForm(MemberWords, EditForm):
    """An existing account."""

    def __init__(self, member: StaffMember) -> None:
        super().__init__({"name": member.name, "role": member.role.value})


@bp.route("/equipe", methods=["GET", "POST"])
@for_roles(ADMINISTRATORS)
def team() -> Response:
    form = NewMemberForm()
    if form.validate_on_submit():
        password = draw_password()
        try:
            member = add_staff(
                db.session(),
                email=entered(form.email),
                name=entered(form.name),
                role=Role(entered(form.role)),
                password=password,
                must_change_password=True,
                now=utc_now(),
            )
        except StaffExists:
            refuse(form.email, "Cette adresse a déjà un compte.")
        else:
            return _told_once("staff added", member, password)
    members = sorted(db.session.scalars(select(StaffMember)), key=_by_name)
    return answered(render_template("backoffice/team.html", form=form, members=members, roles=ROLES), form)


@bp.route("/equipe/<int:staff_id>", methods=["GET", "POST"])
@for_roles(ADMINISTRATORS)
def edit_member(staff_id: int) -> Response:
    """A name that changes, a person who takes over: their role counts from their next request on."""
    member = _member(staff_id)
    form = MemberForm(member)
    clashes = form.take_clashes() if form.is_submitted() else []
    if not clashes and form.validate_on_submit():
        role = Role(entered(form.role))
        if member.id != current_staff().id or role is member.role:
            member.name, member.role = entered(form.name), role
            return _done("staff changed", member, "compte-modifie")
        # Else nobody might be left to give it back.
        refuse(form.role, "Vous ne pouvez pas changer votre propre rôle : demandez à quelqu’un d’autre.")
    page = render_template("backoffice/edit_member.html", form=form, member=member, clashes=clashes)
    return answered(page, form, clashes)


@bp.post("/equipe/<int:staff_id>/mot-de-passe")
@for_roles(ADMINISTRATORS)
def reset_member(staff_id: int) -> Response:
    password = draw_password()
    with reading():
        # Slow on purpose: nobody who writes waits for it.
        password_hash = hash_password(password)
    member = _member(staff_id)
    set_password(db.session(), member, password_hash, must_change=True, now=utc_now())
    # Whoever lost their telephone has nobody else to ask.
    switch_off(db.session(), member)
    return _told_once("password reset", member, password)


@bp.post("/equipe/<int:staff_id>/desactivation")
@for_roles(ADMINISTRATORS)
def disable_member(staff_id: int) -> Response:
    member = _member(staff_id)
    if member.id == current_staff().id:
        # Else nobody might be left to let them in again.
        return make_response(redirect(url_for("backoffice.team", fait="pas-soi-meme")), 303)
    disable(db.session(), member, now=utc_now())
    return _done("staff disabled", member, "desactive")


@bp.post("/equipe/<int:staff_id>/reactivation")
@for_roles(ADMINISTRATORS)
def enable_member(staff_id: int) -> Response:
    member = _member(staff_id)
    enable(member)
    return _done("staff enabled", member, "reactive")


@bp.get("/journal")
@for_roles(ADMINISTRATORS)
def journal() -> Response:
    before = request.args.get("avant", type=int)
    entries = select(AuditEntry, StaffMember.name).outerjoin(StaffMember, AuditEntry.staff_id == StaffMember.id)
    if before is not None and 0 < before <= LARGEST_ID:
        entries = entries.where(AuditEntry.id < before)
    rows = db.session.execute(entries.order_by(AuditEntry.id.desc()).limit(_ENTRIES + 1)).all()
    page = render_template("backoffice/journal.html", rows=rows[:_ENTRIES], has_more=len(rows) > _ENTRIES)
    return make_response(page)


def _by_name(member: StaffMember) -> tuple[bool, str]:
    """Who may sign in first."""
    return member.disabled_at is not None, sort_key(member.name)


def _member(staff_id: int) -> StaffMember:
    """Locked for whoever is about to change them."""
    if staff_id > LARGEST_ID:
        abort(404)
    return db.session.get(StaffMember, staff_id, with_for_update=request.method == "POST") or abort(404)


def _told_once(action: str, member: StaffMember, password: str) -> Response:
    _note(action, member)
    db.session.commit()
    return make_response(render_template("backoffice/told_once.html", member=member, password=password))


def _done(action: str, member: StaffMember, done: str) -> Response:
    _note(action, member)
    db.session.commit()
    return make_response(redirect(url_for("backoffice.team", fait=done)), 303)


def _note(action: str, member: StaffMember) -> None:
    note(db.session(), action, staff_id=current_staff().id, now=utc_now(), subject="staff", subject_id=member.id)
