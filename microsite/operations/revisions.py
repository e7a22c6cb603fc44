"""Which version the database is at, and whether this program knows it (Alembic's revisions)."""

from functools import lru_cache

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy.exc import DBAPIError

from ..db import db, reading


def scripts() -> ScriptDirectory:
    """The program's own migrations."""
    return _load_scripts(current_app.extensions["migrate"].directory)


@lru_cache(maxsize=1)
def _load_scripts(directory: str) -> ScriptDirectory:
    """Read a folder of migrations; the first look at one takes 0.1 to 0.3 s, and tests run thousands of commands."""
    return ScriptDirectory(directory)


def current_revision() -> str | None:
    """The database's; None if it has no tables yet. Raises DBAPIError."""
    with reading():
        return MigrationContext.configure(db.session.connection()).get_current_revision()


def find_newer_revision() -> str | None:
    """What to say, without a full stop, if a newer program has brought the database up to date; None otherwise.

    None too for a database that can't be reached.
    """
    try:
        current = current_revision()
        scripts().get_revision(current or "base")
    except CommandError:
        return (
            f"la base de données est en version {current}, plus récente que ce programme "
            f"({scripts().get_current_head()}) : reprenez la version du programme qui l’a mise à niveau, ou restaurez "
            "une sauvegarde d’avant (docs/deploy/README.md)"
        )
    except DBAPIError:
        pass
    return None


def refuse_newer_database() -> None:
    """End the command if the database is a newer program's. Raises ClickException."""
    if newer := find_newer_revision():
        raise click.ClickException(f"{newer}.")
