"""flask ops restore: replace the installation's data by an archive, and erase again who was erased since."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from ..db import Base, db
from ..leads.models import Lead, Submission
from ..operations import erasure_lists, postgresql, replacement
from ..operations.archive import ArchiveRefused, Manifest, unpack
from ..operations.restorable import check_fits, has_rows, keep_only_files
from ..operations.revisions import scripts
from ..operations.server_locks import RestoreRuns, SiteIsServed, stopped_site
from ..privacy.scrubbing import Scrubbed
from ..web.context import current_settings, french_moment
from .restored_database import fill_postgresql, fill_sqlite
from .restored_keys import lay_out_keys


@dataclass(frozen=True, kw_only=True)
class _Restored:
    manifest: Manifest
    erased: Scrubbed
    changed_keys: list[str]


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
            _check(archive)
        else:
            _restore(archive, force=force)
    except ArchiveRefused as error:
        raise click.ClickException(f"cette archive n’est pas restaurable : {error}. Rien n’a changé.") from None
    except SiteIsServed as error:
        raise click.ClickException(f"le site est servi ({error}) : arrêtez-le d’abord. Rien n’a changé.") from None
    except RestoreRuns:
        raise click.ClickException(
            "une autre restauration est en cours sur cette base, ou un serveur démarre. Rien n’a changé."
        ) from None
    except postgresql.ProgramFailed as error:
        raise click.ClickException(f"{error}. Rien n’a changé.") from None
    except OSError as error:
        raise click.ClickException(f"restauration interrompue ({error.strerror}). Rien n’a changé.") from None


def _check(archive: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".check-", dir=current_settings().instance_path) as stage:
        manifest = _looked_at(archive, Path(stage))
    click.echo(f"Archive intacte, restaurable ici. {_told(manifest)}")


def _restore(archive: Path, *, force: bool) -> None:
    settings, engine = current_settings(), db.engine
    instance = settings.instance_path
    database = Path(str(engine.url.database)) if engine.dialect.name == "sqlite" else None
    with stopped_site(instance), _stopped_database():
        stage = replacement.new_stage(instance)
        try:
            restored = _get_ready(archive, stage, database, force=force)
            replacement.decide(instance, database)
        except BaseException:
            replacement.drop_stage(instance, database)
            if database is None:
                postgresql.take_back(engine)
            raise
        engine.dispose()
        replacement.apply(instance, settings.sqlalchemy_url)
    click.echo(f"Restauré. {_told(restored.manifest)}")
    people, forms = (restored.erased.counts.get(table.__tablename__, 0) for table in (Lead, Submission))
    click.echo(f"Effacés de nouveau : {people} contacts, {forms} demandes. Toute l’équipe doit se reconnecter.")
    if database is None and restored.changed_keys:
        names = " et ".join(restored.changed_keys)
        click.echo(f"Plusieurs serveurs : sur chacun des autres, prenez {names} d’ici (ops adopt-key).")


def _get_ready(archive: Path, stage: Path, database: Path | None, *, force: bool) -> _Restored:
    """All that can go wrong."""
    manifest = _looked_at(archive, stage)
    is_taken = has_rows(db.engine, Base.metadata)
    if is_taken and not force:
        raise click.ClickException(
            "la base contient déjà des données : faites d’abord une sauvegarde, "
            "puis recommencez avec --force pour les remplacer. Rien n’a changé."
        )
    known = _known_erasures(archive)
    changed = lay_out_keys(current_settings().instance_path, stage, known, is_taken=is_taken)
    erased = fill_sqlite(stage, database, known) if database else fill_postgresql(stage, manifest, known)
    keep_only_files(stage)
    return _Restored(manifest=manifest, erased=erased, changed_keys=changed)


def _looked_at(archive: Path, stage: Path) -> Manifest:
    manifest = unpack(archive, stage)
    revisions = frozenset(revision.revision for revision in scripts().walk_revisions())
    check_fits(manifest, stage, engine=db.engine.dialect.name, revisions=revisions)
    return manifest


@contextmanager
def _stopped_database() -> Iterator[None]:
    """On PostgreSQL a server of another machine shows by its connections; what a restore that died left is undone."""
    if db.engine.dialect.name != "postgresql":
        yield
        return
    with postgresql.no_restore(db.engine, but_mine=True) as connection:
        if others := postgresql.others(connection):
            raise SiteIsServed(f"{others} connexions à cette base")
        if postgresql.take_back(db.engine):
            click.echo("Une restauration interrompue a été annulée.")
        yield


def _known_erasures(archive: Path) -> erasure_lists.Known:
    try:
        known = erasure_lists.gather(archive, current_settings().instance_path)
    except DBAPIError:
        db.session.rollback()
        known = erasure_lists.gather_from_archives(archive, current_settings().instance_path)
        click.echo(
            "La base actuelle ne se lit pas : seuls les effacements notés dans les archives sont repris.", err=True
        )
    for name in known.unreadable:
        click.echo(f"Archive illisible, ses effacements ne sont pas repris : {name}", err=True)
    return known


def _told(manifest: Manifest) -> str:
    return f"Faite le {french_moment(manifest.made_at)}, base en version {manifest.revision} ({manifest.engine})."
