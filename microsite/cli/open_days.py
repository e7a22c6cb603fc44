"""flask open-days …: take a season in from a spreadsheet, take the samples away."""

import click

from ..db import db
from ..open_days.samples import remove_samples
from .group import DatabaseGroup
from .open_day_import import import_command

open_days = DatabaseGroup(
    "open-days", help="Les journées portes ouvertes : importer une saison, retirer les journées d’exemple."
)
open_days.add_command(import_command)


@open_days.command("remove-samples")
def remove_samples_command() -> None:
    """Retire les journées d’exemple.

    Qui s’y était inscrit sera prévenu de la prochaine date.
    """
    days, told = remove_samples(db.session())
    db.session.commit()
    click.echo(f"Journées d’exemple retirées : {days}. Inscriptions devenues « à prévenir » : {told}.")
