"""flask privacy export and erase: export the data held about one person, or delete it for good."""

import sys
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from ..backoffice.audit import note
from ..backoffice.looks import looks_at
from ..db import db, reading, writing
from ..exports.files import file_when_complete
from ..formatters import format_number
from ..keys import ERASURE_FILE
from ..leads.models import Lead
from ..leads.queries import find_by_reference, find_lead
from ..privacy.cleanup import clean_up
from ..privacy.data_export import PersonExport, count_rows, write_json
from ..privacy.data_export import export_person as export_rows
from ..privacy.erased_addresses import erasure_key
from ..privacy.erasure import erase_person as erase_rows
from ..privacy.queries import find_wards
from ..web.context import current_school, current_settings, utc_now
from ..web.typography import french
from .group import check_own_keys


@click.command("export")
@click.argument("email")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True, resolve_path=True),
    help="Un fichier, lisible par son seul propriétaire ; sinon la sortie standard.",
)
@with_appcontext
def export_person(email: str, output: Path | None) -> None:
    """Sort en JSON tout ce que le site sait d’une personne, par son adresse (RGPD, articles 15 et 20)."""
    with reading():
        session, now = db.session(), utc_now()
        lead_id = _lead_id(find_lead(session, email.strip()))
        export, looks = _export(email.strip()), looks_at(session, lead_id)
        site_url = current_settings().site_url
        text = write_json(export, looks, school=current_school(), site_url=site_url, now=now)
    _note("data copied", lead_id)
    content = text.encode()
    if output is None or output == Path("-"):
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        with file_when_complete(output) as stream:
            stream.write(content)
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire {output} : {error.strerror}.") from None
    click.echo(f"Copie écrite dans {output}", err=True)


@click.command("erase")
@click.argument("email", required=False)
@click.option("--reference", help="La référence d’une de ses demandes, au lieu de son adresse.")
@click.option("--yes", is_flag=True, help="Sans demander confirmation.")
@with_appcontext
def erase_person(email: str | None, reference: str | None, yes: bool) -> None:
    """Efface une personne pour de bon, fichiers compris (RGPD, article 17).

    Rien ne lui est écrit : prévenez-la vous-même, d’abord, car son adresse ne sera plus connue.
    """
    if (email is None) == (reference is None):
        raise click.UsageError("donnez une adresse, ou --reference.")
    with reading():
        address = email.strip() if email else _address_of(reference or "")
        export = _export(address)
    for part, count in count_rows(export).items():
        click.echo(french(f"{format_number(count)} : {part}"))
    if not yes:
        _confirm()
    _erase(address)


def _confirm() -> None:
    # Not click.confirm(), which knows y and n alone.
    answer = click.prompt("Effacer pour de bon ? Tapez « oui »", default="non", show_default=False)
    if answer.strip().casefold() != "oui":
        raise click.ClickException("rien n’est effacé.")


def _erase(address: str) -> None:
    settings = current_settings()
    check_own_keys(ERASURE_FILE, otherwise="Rien n’est effacé.")
    key = erasure_key(settings.instance_path)
    with writing():
        lead_id = _lead_id(find_lead(db.session(), address))
        erased = erase_rows(db.session(), address, key=key, now=utc_now())
        rows = sum(erased.values())
        note(db.session(), "data erased", staff_id=None, now=utc_now(), subject="lead", subject_id=lead_id, rows=rows)
    click.echo(french(f"Effacé : {format_number(rows)} lignes."))
    try:
        is_over = clean_up(settings.instance_path, now=utc_now())
    except OSError as error:
        raise click.ClickException(
            f"les lignes sont effacées, un fichier ne peut pas l’être ({error.filename} : {error.strerror}). "
            "Le serveur réessaiera."
        ) from None
    click.echo(
        "Les fichiers de ses messages sont effacés, la base est réécrite."
        if is_over
        else "La base sera réécrite par le serveur : il en reste des traces dans ses fichiers jusque-là."
    )


def _export(address: str) -> PersonExport:
    export = export_rows(db.session(), address)
    if any(export.values()):
        return export
    if wards := find_wards(db.session(), address):
        raise click.ClickException(
            f"c’est l’adresse d’un responsable légal, dans {', '.join(wards)} : elle se copie et s’efface avec la "
            "personne qui a candidaté (privacy erase --reference)."
        )
    raise click.ClickException("le site ne sait rien de cette adresse.")


def _address_of(reference: str) -> str:
    submission = find_by_reference(db.session(), reference)
    if submission is None:
        raise click.ClickException(f"{reference} : référence inconnue.")
    return submission.lead.email if submission.lead else submission.email


def _lead_id(lead: Lead | None) -> int | None:
    return lead.id if lead else None


def _note(action: str, lead_id: int | None, **details: Any) -> None:
    with writing():
        note(db.session(), action, staff_id=None, now=utc_now(), subject="lead", subject_id=lead_id, **details)
