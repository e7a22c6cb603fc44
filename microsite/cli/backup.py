"""flask ops backup: one dated archive of all that this installation owns."""

from contextlib import suppress
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from ..db import db
from ..formatters import format_size
from ..keys import FILES as KEY_FILES
from ..operations.backup import FOLDER, KEPT_DAYS, NothingToSave, make_backup, remove_old_backups
from ..operations.erasure_lists import dump_list
from ..operations.postgresql import ProgramFailed
from ..sqlite_engine import sqlite
from ..web.context import current_settings, utc_now
from .group import check_own_keys


@click.command("backup")
@click.option(
    "--keep", "days", type=click.IntRange(1, 3650), default=KEPT_DAYS, show_default=True,
    help="Jours pendant lesquels une archive est gardée ; la plus récente l’est toujours.",
)  # fmt: skip
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Le dossier des archives ; sans elle, backups/ dans le dossier d’instance.",
)
@with_appcontext
def backup(days: int, folder: Path | None) -> None:
    """Sauvegarde base, clés, brochures et contenus dans une archive datée, même pendant que le site est ouvert."""
    instance = current_settings().instance_path
    folder = folder or instance / FOLDER
    # make_backup() below reports a database that can't be reached.
    with suppress(DBAPIError):
        check_own_keys(*KEY_FILES, otherwise="Rien n’a été sauvegardé.")
    try:
        path = make_backup(db.engine, instance, folder, erasures=dump_list, now=utc_now())
        removed = remove_old_backups(folder, now=utc_now(), days=days)
    except BlockingIOError:
        raise click.ClickException("une autre sauvegarde est en cours dans ce dossier.") from None
    except (NothingToSave, ProgramFailed) as error:
        raise click.ClickException(f"rien n’a été sauvegardé : {error}.") from None
    except sqlite.Error as error:
        raise click.ClickException(f"rien n’a été sauvegardé : SQLite ne lit pas la base ({error}).") from None
    except OSError as error:
        raise click.ClickException(f"rien n’a été sauvegardé : {folder} ({error.strerror}).") from None
    click.echo(f"Sauvegardé : {path} ({format_size(path.stat().st_size)})")
    if removed:
        click.echo(f"Archives de plus de {days} jours retirées : {len(removed)}")
