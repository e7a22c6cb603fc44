"""Restore an archive, for a stopped site: verify it, build its database beside the one in use, replace all at once."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, select
from sqlalchemy.exc import DBAPIError

from ..db import Base, db
from ..file_lock import is_locked, locked
from ..keys.fingerprints import KeyFingerprint
from ..privacy.erasure import ErasedRows
from ..sqlite_engine import sqlite
from ..web.context import current_settings
from . import postgresql, replacement, sqlite_files
from .archive import POSTGRESQL_DUMP, SQLITE_COPY, ArchiveRefused, Manifest, RestoreRefused, unpack
from .erasure_lists import ErasureLists, add_archived_lists, read_own_list
from .restored_database import AppFactory, build_database
from .restored_keys import write_restored_keys
from .revisions import scripts

_HAS_DATA = (
    "la base contient déjà des données : faites d’abord une sauvegarde, "
    "puis recommencez avec --force pour les remplacer"
)
_OTHER_RESTORE = "une autre restauration est en cours sur cette base, ou un serveur démarre"
_LOST_LIST = "La base actuelle ne se lit pas : seuls les effacements notés dans les archives sont repris."


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What was restored, who was erased again, and the names of the keys that changed."""

    manifest: Manifest
    erased: ErasedRows
    changed_keys: list[str]


def check_archive(archive: Path) -> Manifest:
    """Verify the whole archive, as restore() does first. Raises RestoreRefused, ProgramFailed, OSError."""
    with tempfile.TemporaryDirectory(prefix=".check-", dir=current_settings().instance_path) as stage:
        return _unpack_and_verify(archive, Path(stage))


def restore(archive: Path, *, force: bool, create_app: AppFactory, warn: Callable[[str], None]) -> Restored:
    """Replace the installation's data by the archive's; what fails, or is killed, leaves the old or the new.

    `force`: even if the database holds rows. Raises RestoreRefused, ProgramFailed, OSError, what create_app() raises.
    """
    instance, engine = current_settings().instance_path, db.engine
    with _stopped_site(instance), _stopped_database():
        stage = replacement.new_stage(instance)
        try:
            restored = _prepare(archive, stage, force=force, create_app=create_app, warn=warn)
            engine.dispose()
        except BaseException:
            replacement.discard(instance, engine)
            raise
        replacement.replace(instance, engine)
    return restored


def _prepare(
    archive: Path, stage: Path, *, force: bool, create_app: AppFactory, warn: Callable[[str], None]
) -> Restored:
    """Do all that can go wrong, beside what is in use."""
    manifest = _unpack_and_verify(archive, stage)
    is_taken = _has_rows()
    if is_taken and not force:
        raise RestoreRefused(_HAS_DATA)
    instance = current_settings().instance_path
    lists = _gather_lists(archive, instance, warn)
    changed = write_restored_keys(instance, stage, lists, is_taken=is_taken)
    erased = build_database(stage, manifest, lists, create_app)
    return Restored(manifest=manifest, erased=erased, changed_keys=changed)


@contextmanager
def _stopped_site(instance: Path) -> Iterator[None]:
    """Refuse while a server runs from this folder, and keep one from starting; it waits until the end of the `with`."""
    try:
        with locked(instance / replacement.SERVE_LOCK, wait=False):
            for path in instance.glob("serve-*.lock"):
                if is_locked(path):
                    raise RestoreRefused(f"le site est servi ({path.stem.removeprefix('serve-')}) : arrêtez-le d’abord")
            yield
    except BlockingIOError:
        raise RestoreRefused("le site est servi (en préparation) : arrêtez-le d’abord") from None


@contextmanager
def _stopped_database() -> Iterator[None]:
    """Refuse while a server of another machine, which shows by its connections, uses the PostgreSQL database."""
    if db.engine.dialect.name != "postgresql":
        yield
        return
    try:
        with postgresql.restore_lock(db.engine, shared=False) as connection:
            if others := postgresql.count_other_connections(connection):
                raise RestoreRefused(f"le site est servi ({others} connexions à cette base) : arrêtez-le d’abord")
            yield
    except postgresql.RestoreRuns:
        raise RestoreRefused(_OTHER_RESTORE) from None


def _unpack_and_verify(archive: Path, stage: Path) -> Manifest:
    """Raise ArchiveRefused unless the archive is whole, its database sound, of a known revision and for this engine."""
    manifest = unpack(archive, stage)
    if manifest.revision not in {revision.revision for revision in scripts().walk_revisions()}:
        raise ArchiveRefused(
            f"sa base est en version {manifest.revision}, que ce programme ne connaît pas : "
            "restaurez-la avec la version du programme qui l’a faite, ou une plus récente"
        )
    if manifest.engine == "sqlite":
        _check_sqlite(stage / SQLITE_COPY, manifest)
    elif db.engine.dialect.name == "sqlite":
        raise ArchiveRefused("elle vient de PostgreSQL : réglez DATABASE_URL sur une base PostgreSQL")
    else:
        postgresql.check_dump(stage / POSTGRESQL_DUMP)
    return manifest


def _check_sqlite(path: Path, manifest: Manifest) -> None:
    try:
        found, revision = sqlite_files.find_faults(path), sqlite_files.revision_of(path)
    except sqlite.Error as error:
        raise ArchiveRefused(f"SQLite ne lit pas sa base ({error})") from None
    if found:
        raise ArchiveRefused(f"sa base est abîmée : {' ; '.join(found)}")
    if revision != manifest.revision:
        raise ArchiveRefused(f"sa base est en version {revision}, son sommaire dit {manifest.revision}")


def _has_rows() -> bool:
    """Return whether anything would be lost, which keys' fingerprints aren't; so it is held of what can't be read."""
    try:
        present = set(inspect(db.engine).get_table_names()) - {KeyFingerprint.__tablename__}
        tables = [table for table in Base.metadata.sorted_tables if table.name in present]
        with db.engine.connect() as connection:
            return any(connection.execute(select(table).limit(1)).first() is not None for table in tables)
    except DBAPIError:
        return True


def _gather_lists(archive: Path, instance: Path, warn: Callable[[str], None]) -> ErasureLists:
    try:
        lists = read_own_list()
    except DBAPIError:
        db.session.rollback()
        lists = ErasureLists()
        warn(_LOST_LIST)
    add_archived_lists(lists, archive, instance)
    for name in lists.unreadable:
        warn(f"Archive illisible, ses effacements ne sont pas repris : {name}")
    return lists
