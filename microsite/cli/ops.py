"""flask --app wsgi ops …: is this installation ready?"""

import sys

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from ..brochures.services import FILE_NAME, chosen_version, standing_file, version_file
from ..content_files import SHIPPED
from ..db import db, reading
from ..open_days.queries import all_slots
from ..outbox import MAILS_FOLDER
from ..outbox.models import MailStatus
from ..outbox.queries import count_by_status
from ..samples.services import has_samples
from ..web.context import current_school, current_settings
from .backup import backup
from .restore import restore
from .sample import sample

ops = AppGroup("ops", help="L’exploitation : vérifier, sauvegarder, restaurer, remplir d’exemples.")
for command in (backup, restore, sample):
    ops.add_command(command)


@ops.command("check")
def check() -> None:
    """Nomme ce qui reste à faire avant d’ouvrir au public ; code de sortie 1 s’il reste quelque chose."""
    findings = [
        *_database_findings(),
        *_placeholder_findings(),
        *_brochure_findings(),
        *_address_findings(),
        *_smtp_findings(),
    ]
    for finding in findings:
        click.echo(finding)
    if findings:
        sys.exit(1)
    click.echo("Tout est prêt.")


def _database_findings() -> list[str]:
    try:
        with reading():
            current = MigrationContext.configure(db.session.connection()).get_current_revision()
            newest = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
            findings = _content_findings() if current == newest else []
    except DBAPIError as error:
        return [f"Base de données injoignable : {error.orig}"]
    if current != newest:
        return [
            f"Base de données en version {current or 'vide'}, attendue {newest} : lancez flask --app wsgi db upgrade"
        ]
    return findings


def _content_findings() -> list[str]:
    findings = []
    if any(slot.is_sample for slot in all_slots(db.session())):
        findings.append("Des journées d’exemple sont proposées : flask --app wsgi open-days remove-samples")
    if has_samples(db.session()):
        findings.append("Des demandes d’exemple sont dans la base : flask --app wsgi ops sample --remove")
    dead = count_by_status(db.session())[MailStatus.DEAD]
    if dead:
        findings.append(f"Messages refusés : {dead} ; voyez flask --app wsgi outbox list")
    return findings


def _brochure_findings() -> list[str]:
    instance = current_settings().instance_path
    try:
        with reading():
            version = chosen_version(db.session())
            file = version_file(instance, version.digest) if version else None
    except DBAPIError:
        # Told already.
        return []
    if file is not None:
        return [] if file.is_file() else [f"Brochure : le fichier de la version choisie manque ({file})"]
    if standing_file(instance).parent != SHIPPED:
        return []
    return [f"Brochure : un spécimen est donné ; déposez celle de l’école ({instance / FILE_NAME})"]


def _smtp_findings() -> list[str]:
    if current_settings().smtp_host:
        return []
    return [
        f"MICROSITE_SMTP_HOST : sans lui, les messages restent dans {current_settings().instance_path / MAILS_FOLDER}"
    ]


def _address_findings() -> list[str]:
    return [] if current_settings().public_url else ["MICROSITE_PUBLIC_URL : l’adresse publique du site y manque"]


def _placeholder_findings() -> list[str]:
    return [f"school.toml, clé « {key} » : encore à compléter" for key in current_school().placeholders()]
