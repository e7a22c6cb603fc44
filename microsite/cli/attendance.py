"""flask --app wsgi open-days attendees, check-in, walk-in: who is expected, and who has come."""

from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db, reading
from ..leads.forms import NAME_LIMIT, PHONE_LIMIT
from ..leads.normalise import EMAIL_LIMIT, EmailRefused, normalise_email, suggest_domain
from ..leads.phones import PhoneAmbiguous, PhoneRefused, normalise_phone
from ..leads.references import references_meant
from ..leads.services import Person
from ..open_days.attendance import CheckedIn, NotExpected, OtherDay, check_in, is_today, walk_in
from ..open_days.forms import COMPANIONS_LIMIT
from ..open_days.models import RegistrationState, Slot
from ..open_days.rosters import get_filling, list_attendees
from ..open_days.seats import SlotClosed, SlotFull
from ..web.context import current_settings, french_date, french_time, utc_now
from .attendee_list import summary, table, write_file
from .open_day_words import find_slot, hours, places, warn
from .options import Line, Name, Number

_NOT_EXPECTED = {
    None: "aucune inscription aux portes ouvertes sous cette référence",
    RegistrationState.WAITING: "en liste d’attente, sans place",
    RegistrationState.CANCELLED: "inscription annulée",
    RegistrationState.EXPIRED: "la place proposée est passée à d’autres",
}


class Email(Line):
    """An address under the forms' own rules."""

    name = "ADRESSE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = super().convert(value, param, ctx)
        try:
            return normalise_email(text)
        except EmailRefused:
            return self.fail(f"« {text} » n’est pas une adresse complète, comme prenom@exemple.fr.", param, ctx)


class Phone(Line):
    name = "NUMÉRO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = super().convert(value, param, ctx)
        try:
            return normalise_phone(text)
        except PhoneAmbiguous as error:
            written = " ou ".join(reading.e164 for reading in error.readings)
            return self.fail(f"« {text} » : {error.question} Écrivez-le avec son indicatif : {written}.", param, ctx)
        except PhoneRefused:
            return self.fail(f"« {text} » n’est pas un numéro complet, comme 06 12 34 56 78.", param, ctx)


@click.command("attendees")
@click.argument("slot_id", type=Number(), metavar="CRÉNEAU")
@click.option(
    "--csv",
    "output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True, resolve_path=True),
    help="Un fichier CSV pour Excel, ou - pour la sortie standard ; sinon une liste à lire.",
)
@with_appcontext
def attendees(slot_id: int, output: Path | None) -> None:
    """Montre qui est inscrit dans un CRÉNEAU.

    Par ordre alphabétique, puis la file d’attente dans le sien. Le numéro du créneau est dans open-days list.
    """
    with reading():
        slot = find_slot(slot_id)
        people = list_attendees(db.session(), slot)
        if output is not None:
            write_file(output, people)
            return
        for line in (*summary(get_filling(db.session(), slot)), *table(people)):
            click.echo(line)


@click.command("check-in")
@click.argument("reference", metavar="RÉFÉRENCE")
@with_appcontext
def check_in_command(reference: str) -> None:
    """Note une arrivée, par sa RÉFÉRENCE.

    Celle de l’inscription, comme JPO-7F3K9Q, ses six signes, ou l’adresse que contient son code QR. La noter deux fois
    ne change rien : la première heure reste.
    """
    meant = references_meant(reference)
    if len(meant) == 1:
        # What a scanner types is the address that the code holds: the message names the reference.
        reference = meant[0]
    try:
        checked_in = check_in(db.session(), reference, now=utc_now())
    except NotExpected as error:
        way_on = "S’il reste des places, open-days walk-in accueille sans inscription."
        raise click.ClickException(f"{reference} : {_NOT_EXPECTED[error.state]}. {way_on}") from None
    except OtherDay as error:
        submission, slot = error.registration.submission, error.registration.slot
        raise click.ClickException(
            f"{reference} : {submission.first_name} {submission.last_name} a rendez-vous un autre jour, le "
            f"{french_date(slot.starts_at)} à {french_time(slot.starts_at)}."
        ) from None
    said = _said(checked_in)
    db.session.commit()
    click.echo(said)


@click.command("walk-in")
@click.argument("slot_id", type=Number(), metavar="CRÉNEAU")
@click.option("--first-name", type=Name(limit=NAME_LIMIT), required=True, help="Son prénom.")
@click.option("--last-name", type=Name(limit=NAME_LIMIT), required=True, help="Son nom.")
@click.option("--email", type=Email(limit=EMAIL_LIMIT), required=True, help="Son adresse e-mail.")
@click.option("--phone", type=Phone(limit=PHONE_LIMIT), help="Son téléphone.")
@click.option(
    "--companions", type=click.IntRange(0, COMPANIONS_LIMIT), default=0, show_default=True, help="Qui l’accompagne."
)
@with_appcontext
def walk_in_command(
    slot_id: int, first_name: str, last_name: str, email: str, phone: str | None, companions: int
) -> None:
    """Accueille qui vient sans inscription.

    S’il reste des places dans ce CRÉNEAU, qui doit être d’aujourd’hui. Qui était inscrit est seulement noté ; qui
    attendait reçoit les places qui restent.
    """
    _refuse_dead_domain(email)
    person = Person(first_name=first_name, last_name=last_name, email=email, phone=phone)
    now = utc_now()
    try:
        checked_in = walk_in(db.session(), person, slot_id=slot_id, companions=companions, now=now)
    except SlotFull as error:
        raise click.ClickException(
            f"il reste {places(error.remaining)}, et il en faut {1 + companions} : personne n’est ajouté."
        ) from None
    except SlotClosed:
        raise click.ClickException(_why_closed(find_slot(slot_id))) from None
    said, taken = _said(checked_in), checked_in.registration.companions
    db.session.commit()
    click.echo(said)
    if taken != companions:
        warn([f"accompagnants inscrits : {taken}, et non {companions}"])
    suggestion = suggest_domain(email)
    if suggestion:
        warn([f"« {email} » s’écrit peut-être {email.rpartition('@')[0]}@{suggestion}"])


def _refuse_dead_domain(email: str) -> None:
    try:
        normalise_email(email, check_dns=current_settings().check_email_dns)
    except EmailRefused:
        raise click.BadParameter(
            "ce domaine ne reçoit pas d’e-mails : vérifiez ce qui suit le signe @.", param_hint="--email"
        ) from None


def _said(checked_in: CheckedIn) -> str:
    registration = checked_in.registration
    submission, at = registration.submission, registration.checked_in_at
    who = f"{submission.first_name} {submission.last_name} ({submission.reference}), {_party(registration.companions)}"
    done = "déjà noté" if checked_in.is_repeated else "arrivée notée"
    return f"{who} : {done} à {french_time(at)}." if at else f"{who} : {done}."


def _party(companions: int) -> str:
    if companions == 0:
        return "sans accompagnant"
    return "1 accompagnant" if companions == 1 else f"{companions} accompagnants"


def _why_closed(slot: Slot) -> str:
    if slot.cancelled_at is not None:
        return "ce créneau est annulé."
    if is_today(slot, now=utc_now()):
        return "ce créneau est terminé."
    return f"ce créneau n’est pas celui d’aujourd’hui : {hours(slot)}. open-days list montre les numéros."
