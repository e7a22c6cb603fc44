"""What an archive must be to be restored here, and laying its database out where it can be looked at."""

import os
import shutil
from pathlib import Path

from sqlalchemy import Engine, MetaData, inspect, select
from sqlalchemy.exc import DBAPIError

from ..keys.fingerprints import KeyFingerprint
from ..sqlite_engine import sqlite
from . import postgresql, sqlite_files
from .archive import KEPT_FILES, KEPT_FOLDERS, POSTGRESQL_DUMP, SQLITE_COPY, ArchiveRefused, Manifest
from .replacement import waiting


def check_fits(manifest: Manifest, stage: Path, *, engine: str, revisions: frozenset[str]) -> None:
    """Raises ArchiveRefused unless its database is sound, of a revision that we know, and for this engine."""
    if manifest.revision not in revisions:
        raise ArchiveRefused(
            f"sa base est en version {manifest.revision}, que ce programme ne connaît pas : "
            "restaurez-la avec la version du programme qui l’a faite, ou une plus récente"
        )
    if manifest.engine == "postgresql" and engine == "sqlite":
        raise ArchiveRefused("elle vient de PostgreSQL : réglez DATABASE_URL sur une base PostgreSQL")
    if manifest.engine == "postgresql":
        postgresql.check_dump(stage / POSTGRESQL_DUMP)
        return
    try:
        found = sqlite_files.faults(stage / SQLITE_COPY)
        revision = sqlite_files.revision_of(stage / SQLITE_COPY)
    except sqlite.Error as error:
        raise ArchiveRefused(f"SQLite ne lit pas sa base ({error})") from None
    if found:
        raise ArchiveRefused(f"sa base est abîmée : {' ; '.join(found)}")
    if revision != manifest.revision:
        raise ArchiveRefused(f"sa base est en version {revision}, son sommaire dit {manifest.revision}")


def has_rows(engine: Engine, metadata: MetaData) -> bool:
    """Whether anything would be lost, which keys' fingerprints aren't; so it is held of one that can't be read."""
    try:
        present = set(inspect(engine).get_table_names())
        with engine.connect() as connection:
            return any(
                connection.execute(select(table).limit(1)).first() is not None
                for table in metadata.sorted_tables
                if table.name in present and table.name != KeyFingerprint.__tablename__
            )
    except DBAPIError:
        return True


def lay_beside(stage: Path, database: Path) -> Path:
    """The restored SQLite file, beside the one that it is to replace."""
    new = waiting(database)
    shutil.move(stage / SQLITE_COPY, new)
    return new


def seal(path: Path) -> None:
    """One file, all of it on the disk."""
    sqlite_files.make_single_file(path)
    path.with_name(f"{path.name}-queue").unlink(missing_ok=True)
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_own_key(instance: Path, stage: Path, name: str) -> None:
    """The installation's own key instead of the archive's: one that was replaced after a leak doesn't come back."""
    if (instance / name).is_file():
        shutil.copyfile(instance / name, stage / name)
        (stage / name).chmod(0o600)


def keep_only_files(stage: Path) -> None:
    """Of what was laid out, what belongs into the instance folder."""
    for path in stage.iterdir():
        if path.name in (*KEPT_FILES, *KEPT_FOLDERS):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
