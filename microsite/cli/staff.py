"""flask staff …: who may open the back-office."""

import click
from sqlalchemy import select

from ..backoffice.accounts.passwords import draw_password, hash_password
from ..backoffice.accounts.second_step import switch_off
from ..backoffice.accounts.services import StaffExists, add_staff, find_staff, set_password
from ..backoffice.accounts.services import disable as disable_member
from ..backoffice.accounts.services import enable as enable_member
from ..backoffice.audit import note
from ..backoffice.models import NAME_LIMIT, Role, StaffMember
from ..db import db, reading
from ..formatters import format_day
from ..leads.normalise import EmailRefused, normalise_email
from ..text import sort_key
from ..web.context import utc_now
from .group import DatabaseGroup
from .options import Name

staff = DatabaseGroup("staff", help="Les comptes de l’équipe, pour /admissions.")


@staff.command("add")
@click.argument("email", metavar="ADRESSE")
@click.option("--name", type=Name(limit=NAME_LIMIT), required=True, help="Le nom de la personne.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="Ce qu’elle peut ouvrir.")
def add(email: str, name: str, role: str) -> None:
    """Ajoute un compte et écrit, une seule fois, son mot de passe provisoire."""
    password = draw_password()
    try:
        address = normalise_email(email, check_dns=False)
        member = add_staff(
            db.session(),
            email=address,
            name=name,
            role=Role(role),
            password=password,
            must_change_password=True,
            now=utc_now(),
        )
    except EmailRefused:
        raise click.ClickException(f"« {email} » n’est pas une adresse e-mail complète.") from None
    except StaffExists:
        raise click.ClickException(f"{email} a déjà un compte ; nouveau mot de passe : staff reset.") from None
    _commit("staff added", member)
    click.echo(f"Ajouté : {name}, {member.email}\nMot de passe provisoire, à changer à la connexion : {password}")


@staff.command("reset")
@click.argument("email", metavar="ADRESSE")
def reset(email: str) -> None:
    """Donne un nouveau mot de passe provisoire, retire la double vérification, réactive le compte."""
    password = draw_password()
    password_hash = hash_password(password)
    member = _member(email)
    set_password(db.session(), member, password_hash, must_change=True, now=utc_now())
    switch_off(db.session(), member)
    enable_member(member)
    _commit("password reset", member)
    click.echo(f"Mot de passe provisoire de {member.email}, à changer à la connexion : {password}")


@staff.command("disable")
@click.argument("email", metavar="ADRESSE")
def disable(email: str) -> None:
    """Ferme un compte et le déconnecte partout ; ce qu’il a fait reste au journal."""
    member = _member(email)
    was_disabled = member.disabled_at is not None
    disable_member(db.session(), member, now=utc_now())
    _commit("staff disabled", member)
    click.echo(f"{member.email} était déjà désactivé." if was_disabled else f"Désactivé : {member.email}")


@staff.command("list")
def list_command() -> None:
    """Montre les comptes."""
    with reading():
        members = sorted(db.session.scalars(select(StaffMember)), key=lambda member: sort_key(member.email))
        lines = [_line(member) for member in members]
    for line in lines or ["Aucun compte. Le premier : staff add ADRESSE --name NOM --role administrator"]:
        click.echo(line)


def _member(email: str) -> StaffMember:
    member = find_staff(db.session(), email)
    if member is None:
        raise click.ClickException(f"{email} n’a pas de compte ; staff list les montre.")
    return member


def _line(member: StaffMember) -> str:
    second_step = ", double vérification" if member.totp_secret else ""
    disabled = f"  [désactivé le {format_day(member.disabled_at)}]" if member.disabled_at else ""
    return f"{member.email}  {member.name}  ({member.role}{second_step}){disabled}"


def _commit(action: str, member: StaffMember) -> None:
    note(db.session(), action, staff_id=None, now=utc_now(), subject="staff", subject_id=member.id)
    db.session.commit()
