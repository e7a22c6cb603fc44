"""flask --app wsgi ops …: is this installation ready?"""

import sys

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from ..brochures.services import FILE_NAME
from ..config import load_settings
from ..db import db, reading
from ..open_days.queries import all_slots
from ..web.context import current_school, current_settings

ops = AppGroup("ops", help="L’exploitation : vérifier l’installation.")


@ops.command("check")
def check() -> None:
    """Nomme ce qui reste à faire avant d’ouvrir au public ; code de sortie 1 s’il reste quelque chose."""
    findings = [*_database_findings(), *_placeholder_findings(), *_specimen_findings(), *_host_findings()]
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
            samples = current == newest and any(slot.is_sample for slot in all_slots(db.session()))
    except DBAPIError as error:
        return [f"Base de données injoignable : {error.orig}"]
    if current != newest:
        return [
            f"Base de données en version {current or 'vide'}, attendue {newest} : lancez flask --app wsgi db upgrade"
        ]
    return ["Des journées d’exemple sont proposées : flask --app wsgi open-days remove-samples"] if samples else []


def _specimen_findings() -> list[str]:
    own = current_settings().instance_path / FILE_NAME
    return [] if own.is_file() else [f"Brochure : un spécimen est donné ; déposez celle de l’école ({own})"]


def _host_findings() -> list[str]:
    is_local = current_settings().trusted_hosts == load_settings({}).trusted_hosts
    return ["MICROSITE_TRUSTED_HOSTS : le nom public du site y manque"] if is_local else []


def _placeholder_findings() -> list[str]:
    return [f"school.toml, clé « {key} » : encore à compléter" for key in current_school().placeholders()]
