"""flask ops restore: replace the installation's data by an archive, and erase again who was erased since."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from ..config import StartError
from ..db import db
from ..formatters import format_list, format_long_moment
from ..leads.models import Lead, Submission
from ..operations.archive import ArchiveRefused, Manifest, RestoreRefused
from ..operations.postgresql import ProgramFailed
from ..operations.restore import check_archive
from ..operations.restore import restore as restore_archive

_NOTHING_CHANGED = "Rien n’a changé."


@click.command("restore")
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Remplace une base qui contient déjà des données.")
@click.option("--check-only", is_flag=True, help="Vérifie l’archive entière, sans rien changer.")
@with_appcontext
def restore(archive: Path, force: bool, check_only: bool) -> None:
    """Remet en place une archive de « ops backup », après l’avoir vérifiée ; le site doit être arrêté.

    Une archive faite sur SQLite se restaure aussi sur PostgreSQL : c’est ainsi qu’on passe de l’un à l’autre.
    """
    try:
        if check_only:
            click.echo(f"Archive intacte, restaurable ici. {_describe(check_archive(archive))}")
        else:
            _restore(archive, force=force)
    except (ArchiveRefused, StartError) as error:
        raise click.ClickException(f"cette archive n’est pas restaurable : {error}. {_NOTHING_CHANGED}") from None
    except (RestoreRefused, ProgramFailed) as error:
        raise click.ClickException(f"{error}. {_NOTHING_CHANGED}") from None
    except OSError as error:
        raise click.ClickException(f"restauration interrompue ({error.strerror}). {_NOTHING_CHANGED}") from None


def _restore(archive: Path, *, force: bool) -> None:
    from .. import create_app

    restored = restore_archive(
        archive, force=force, create_app=create_app, warn=lambda warning: click.echo(warning, err=True)
    )
    click.echo(f"Restauré. {_describe(restored.manifest)}")
    people, forms = (restored.erased[table.__tablename__] for table in (Lead, Submission))
    click.echo(f"Effacés de nouveau : {people} contacts, {forms} demandes. Toute l’équipe doit se reconnecter.")
    if db.engine.dialect.name == "postgresql" and restored.changed_keys:
        names = format_list(restored.changed_keys)
        click.echo(f"Plusieurs serveurs : sur chacun des autres, prenez {names} d’ici (ops adopt-key).")


def _describe(manifest: Manifest) -> str:
    return f"Faite le {format_long_moment(manifest.made_at)}, base en version {manifest.revision} ({manifest.engine})."
