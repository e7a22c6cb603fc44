"""Commands that need the database, and that say so in one line when it isn't there, or is a newer program's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import DBAPIError

from ..db import db, reading, writing
from ..keys.fingerprints import REFUSED, KeyRefused, check_keys, key_faults
from ..operations.revisions import refuse_newer_database
from ..web.context import current_settings


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """End the command with one line if the database can't be reached or has no tables yet."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(
            f"la base de données est injoignable ou n’est pas à jour ({reason}). Voyez ce qui manque : flask ops check"
        ) from None


def check_own_keys(*names: str, otherwise: str = "") -> None:
    """Record new keys, and end the command if its keys aren't the database's; `otherwise` says what is left undone."""
    instance = current_settings().instance_path
    try:
        # First without writing, for the sake of a database that takes no writes.
        with reading():
            for fault in key_faults(db.session(), instance, *names):
                if fault.state in REFUSED:
                    raise fault
        with writing():
            check_keys(db.session(), instance, *names)
    except KeyRefused as error:
        raise click.ClickException(f"{error}.{otherwise and f' {otherwise}'}") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename} : {error.strerror}.{otherwise and f' {otherwise}'}") from None


class DatabaseGroup(AppGroup):
    def add_command(self, cmd: click.Command, name: str | None = None, *, suits_any_revision: bool = False) -> None:
        """Add a command, which a newer program's database refuses unless `suits_any_revision`."""
        if cmd.callback and not suits_any_revision:
            cmd.callback = _at_known_revision(cmd.callback)
        super().add_command(cmd, name)

    def invoke(self, ctx: click.Context) -> Any:
        with told_in_one_line():
            return super().invoke(ctx)


def _at_known_revision(callback: Callable[..., Any]) -> Callable[..., Any]:
    @with_appcontext
    @wraps(callback)
    def run(*args: Any, **options: Any) -> Any:
        refuse_newer_database()
        return callback(*args, **options)

    return run
