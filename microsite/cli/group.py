"""Commands that need the database, and that say so in one line when it isn't there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from .revisions import refuse_newer_database


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """A database that can't be had, or has no tables yet, ends the command with one line, not a traceback."""
    try:
        yield
    except DBAPIError as error:
        refuse_newer_database()
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(
            f"la base de données est injoignable ou n’est pas à jour ({reason}). "
            "Voyez ce qui manque : flask --app wsgi ops check"
        ) from None


class DatabaseGroup(AppGroup):
    def invoke(self, ctx: click.Context) -> Any:
        with told_in_one_line():
            return super().invoke(ctx)
