"""Accounts of the team, as administrators keep them."""

import pyotp
from flask import Flask
from sqlalchemy import select

from microsite.backoffice.accounts.second_step import switch_on
from microsite.backoffice.models import AuditEntry, Role, StaffMember
from microsite.db import db, writing

from .conftest import Browser, Desk, add_member, address, enter


def _stored(app: Flask, staff_id: int) -> tuple[str, Role]:
    with app.app_context():
        member = db.session.get_one(StaffMember, staff_id)
        return member.name, member.role


def test_new_role_counts_from_the_next_request_on(app: Flask, desk: Desk) -> None:
    admissions, administrator = desk(Role.ADMISSIONS), desk(Role.ADMINISTRATOR)
    staff_id = _id_of(app, Role.ADMISSIONS)
    assert admissions.page("/admissions/contacts").status == 200
    form = administrator.page(f"/admissions/equipe/{staff_id}").form(f"/admissions/equipe/{staff_id}")

    page = administrator.follow(administrator.send(form, role="marketing"))

    assert "Compte modifié." in page.text
    assert admissions.page("/admissions/contacts").status == 403
    with app.app_context():
        assert db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()[-1] == "staff changed"


def test_nobody_changes_their_own_role(app: Flask, desk: Desk) -> None:
    administrator = desk(Role.ADMINISTRATOR)
    staff_id = _id_of(app, Role.ADMINISTRATOR)
    address = f"/admissions/equipe/{staff_id}"

    refused = administrator.send(administrator.page(address).form(address), name="Zoé", role="marketing")

    assert refused.status == 422
    assert refused.errors() == {"role": "Vous ne pouvez pas changer votre propre rôle : demandez à quelqu’un d’autre."}
    assert _stored(app, staff_id)[1] is Role.ADMINISTRATOR


def test_second_person_to_change_an_account_is_told(app: Flask, desk: Desk) -> None:
    administrator = desk(Role.ADMINISTRATOR)
    staff_id = add_member(app, Role.MARKETING, email="zoe@ecole.example")
    address = f"/admissions/equipe/{staff_id}"
    early, late = (administrator.page(address).form(address) for _ in range(2))
    administrator.send(early, name="Zoé Martin")

    told = administrator.send(late, name="Zoé Petit")

    assert told.status == 409
    assert "Zoé Martin" in told.text
    assert _stored(app, staff_id) == ("Zoé Martin", Role.MARKETING)
    administrator.follow(administrator.send(told.form(address)))
    assert _stored(app, staff_id) == ("Zoé Petit", Role.MARKETING)


def test_new_password_takes_the_second_step_away(app: Flask, desk: Desk, browser: Browser) -> None:
    administrator = desk(Role.ADMINISTRATOR)
    staff_id = add_member(app, Role.MARKETING)
    with app.app_context(), writing():
        switch_on(db.session(), db.session.get_one(StaffMember, staff_id), pyotp.random_base32(), step=0)
    reset = f"/admissions/equipe/{staff_id}/mot-de-passe"

    told = administrator.send(administrator.page("/admissions/equipe").form(reset))

    entered = enter(browser(), email=address(Role.MARKETING), password=told.one(".reference").text())
    assert entered.response.headers["Location"] == "/admissions/"


def test_ids_that_nobody_has_are_not_found(desk: Desk) -> None:
    administrator = desk(Role.ADMINISTRATOR)
    assert administrator.page(f"/admissions/equipe/{2**40}").status == 404
    assert administrator.page(f"/admissions/journal?avant={2**70}").status == 200


def _id_of(app: Flask, role: Role) -> int:
    with app.app_context():
        return db.session.scalars(select(StaffMember.id).where(StaffMember.role == role)).one()


def test_accounts_are_listed_alike_on_both_engines(app: Flask) -> None:
    for email in ("zoe@exemple.fr", "a.zoe@exemple.fr", "ab@exemple.fr", "élodie@exemple.fr", "a-b@exemple.fr"):
        add_member(app, Role.MARKETING, email=email)

    listed = app.test_cli_runner().invoke(args=["staff", "list"]).output.splitlines()

    emails = [line.split()[0] for line in listed]
    assert emails == ["a-b@exemple.fr", "ab@exemple.fr", "a.zoe@exemple.fr", "élodie@exemple.fr", "zoe@exemple.fr"]
