"""Build an archive's database beside the one in use: of today's revision, the erased erased again, nobody signed in."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text

from ..db import Base, db, writing
from ..keys import FILES as KEY_FILES
from ..keys import read_keys
from ..keys.fingerprints import replace_keys
from ..privacy.erasure import ErasedRows
from ..web.context import utc_now
from . import postgresql, sqlite_files
from .archive import POSTGRESQL_DUMP, SQLITE_COPY, Manifest
from .erasure_lists import ErasureLists, apply_lists
from .replacement import prepared_database

# create_app(), which stands above.
AppFactory = Callable[[Mapping[str, str]], Flask]

# Rows read and written at once.
_BATCH = 1000


def build_database(stage: Path, manifest: Manifest, lists: ErasureLists, create_app: AppFactory) -> ErasedRows:
    """Build it from what was unpacked in the stage, with the stage's keys; return what was erased again."""
    engine = db.engine
    if engine.dialect.name == "sqlite":
        new = prepared_database(Path(str(engine.url.database)))
        shutil.move(stage / SQLITE_COPY, new)
        with _site_in(stage, new, create_app):
            erased = _bring_up_to_date(stage, lists)
        sqlite_files.make_single_file(new)
        return erased
    db.session.remove()
    if manifest.engine == "postgresql":
        postgresql.load(engine, stage / POSTGRESQL_DUMP)
    else:
        postgresql.create_restored(engine)
    with postgresql.using_restored(engine):
        if manifest.engine == "sqlite":
            upgrade()
            with _site_in(stage, stage / SQLITE_COPY, create_app):
                upgrade()
                copy_rows(db.engine, engine)
        try:
            return _bring_up_to_date(stage, lists)
        finally:
            db.session.remove()


def copy_rows(source: Engine, target: Engine) -> None:
    """Copy all rows from SQLite to PostgreSQL, at the same revision, in one transaction."""
    tables = Base.metadata.sorted_tables
    with source.connect() as reading, target.begin() as connection:
        # A migration may have written rows.
        for table in reversed(tables):
            connection.execute(delete(table))
        for table in tables:
            rows = reading.execution_options(yield_per=_BATCH).execute(select(table).order_by(*table.primary_key))
            for batch in rows.mappings().partitions():
                connection.execute(insert(table), [dict(row) for row in batch])
            _set_sequence(table, connection)


def _set_sequence(table: Table, connection: Connection) -> None:
    """Let new ids follow the last one."""
    column = table.autoincrement_column
    if column is None:
        return
    found = text("SELECT pg_get_serial_sequence(:table, :column)")
    sequence = connection.scalar(found, {"table": table.name, "column": column.name})
    if sequence is not None:
        last = connection.scalar(select(func.max(column)))
        connection.execute(select(func.setval(sequence, last or 1, last is not None)))


def _bring_up_to_date(stage: Path, lists: ErasureLists) -> ErasedRows:
    upgrade()
    with writing():
        erased = apply_lists(lists, keys=stage, now=utc_now())
        for name in KEY_FILES:
            replace_keys(db.session(), name, read_keys(stage, name))
        # Whoever signed out, or was given a new password since, isn't to come back by an old cookie.
        db.session.execute(delete(Base.metadata.tables["staff_sessions"]))
    return erased


@contextmanager
def _site_in(stage: Path, database: Path, create_app: AppFactory) -> Iterator[None]:
    """Run the site on what was unpacked: content that it refuses is found now, and not when it is served."""
    app = create_app({"MICROSITE_INSTANCE_PATH": str(stage), "DATABASE_URL": f"sqlite:///{database}"})
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()
