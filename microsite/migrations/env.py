"""Alembic's environment: one transaction for the whole upgrade, so that it happens wholly or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import Connection, Enum, MetaData, text

from microsite.db import UTCDateTime
from microsite.file_lock import locked
from microsite.keys.installation import record_new_keys
from microsite.operations.revisions import refuse_newer_database

# Any number, the same for every process: on PostgreSQL it makes those that start together queue.
_MIGRATION_LOCK = 1973_2026


def run_migrations() -> None:
    extension = current_app.extensions["migrate"]
    with extension.db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Those that start together wait as long as the first one takes, which a writer in line would not.
            with locked(Path(str(connection.engine.url.database)).parent), _foreign_keys_off(connection):
                _migrate(connection, extension.db.metadata)
        else:
            _migrate(connection, extension.db.metadata)


def _migrate(connection: Connection, metadata: MetaData) -> None:
    on_sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=on_sqlite,
        transactional_ddl=True,
        compare_type=True,
        render_item=_render_type,
    )
    with context.begin_transaction():
        if not on_sqlite:
            # The others wait as long as the first one takes.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        context.run_migrations()


def _render_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations import nothing of ours: our column types are written as what they are in the database."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String({item.length})"
    return False


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """A batch operation drops and renames tables, which must not cascade. Only possible outside a transaction."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys = ON")


refuse_newer_database()
run_migrations()
# The server that made the tables is the one whose keys are the database's.
record_new_keys(Path(current_app.instance_path))
