"""pg_dump, pg_restore and psql, found on PATH; the schema that a restore builds; whether the database is in use.

A restore fills a schema beside `public`, which replaces it in one transaction: whatever dies on the way, `public` is
whole. What a restore that died has left is dropped by the next one.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from .archive import ArchiveRefused

# PostgreSQL's advisory lock: a restore holds it alone, servers that start share it. Any number does.
LOCK = 7301944021
# Where a restore puts its tables.
RESTORED = "microsite_restored"

# What `public` is called while a dump, which names its tables `public`, is loaded.
_LIVE = "microsite_live"
_BEFORE_LOAD = f"DROP SCHEMA IF EXISTS {RESTORED} CASCADE; ALTER SCHEMA public RENAME TO {_LIVE}; CREATE SCHEMA public"
_AFTER_LOAD = f"ALTER SCHEMA public RENAME TO {RESTORED}; ALTER SCHEMA {_LIVE} RENAME TO public"
_DUMPED = ("--schema=public", "--no-owner", "--no-privileges")
# Seconds that connections which are ending are waited for.
_PATIENCE = 5
# Lines of a program's complaint that are quoted, and what marks those that may quote rows.
_QUOTED = 3
_QUOTES_ROWS = ("DETAIL", "CONTEXT", "LINE ", "Key (")


class ProgramFailed(RuntimeError):
    """A program of PostgreSQL is missing, too old, or failed; the text says so, in French, without a password."""


class RestoreRuns(RuntimeError):
    """A restore of this database is running, or a server is starting on it, maybe on another machine."""


def dump(engine: Engine, path: Path) -> None:
    """Write the whole schema, as it stands at one moment, in PostgreSQL's custom format. Raises ProgramFailed."""
    path.touch(mode=0o600)
    program = _find_program("pg_dump", engine)
    _run(program, "--format=custom", *_DUMPED, f"--file={path}", *_connection(engine.url), url=engine.url)


def check_dump(path: Path) -> None:
    """Raise ArchiveRefused if pg_restore can't read the dump."""
    try:
        _run(_find("pg_restore"), "--list", str(path))
    except ProgramFailed as error:
        raise ArchiveRefused(str(error)) from None


def load(engine: Engine, path: Path) -> None:
    """Load a dump into the restored schema, in one transaction. Raises ProgramFailed."""
    script = path.with_suffix(".sql")
    script.touch(mode=0o600)
    _run(_find_program("pg_restore", engine), *_DUMPED, f"--file={script}", str(path))
    how = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
    steps = (f"--command={_BEFORE_LOAD}", f"--file={script}", f"--command={_AFTER_LOAD}")
    _run(_find_program("psql", engine), *how, *steps, *_connection(engine.url), url=engine.url)
    script.unlink()


def drop_restored(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {RESTORED} CASCADE"))


def create_restored(engine: Engine) -> None:
    """Make the restored schema, without a table."""
    drop_restored(engine)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {RESTORED}"))


@contextmanager
def using_restored(engine: Engine) -> Iterator[None]:
    """Have the engine's connections use the restored schema in place of `public`."""

    def set_search_path(connection: Any, _record: object) -> None:
        connection.execute(f"SET search_path TO {RESTORED}")
        # Or the pool's rollback would undo it.
        connection.commit()

    engine.dispose()
    event.listen(engine, "connect", set_search_path)
    try:
        yield
    finally:
        event.remove(engine, "connect", set_search_path)
        engine.dispose()


def replace_public(engine: Engine, token: str) -> None:
    """Put the restored schema in the place of `public`, whose comment then is the restore's token."""
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text(f"ALTER SCHEMA {RESTORED} RENAME TO public"))
        connection.execute(text(f"COMMENT ON SCHEMA public IS '{token}'"))


def last_token(engine: Engine) -> str | None:
    """Return the token of the restore that `public` comes from; None if it comes from none."""
    with engine.connect() as connection:
        token = connection.scalar(text("SELECT obj_description('public'::regnamespace, 'pg_namespace')"))
    return None if token is None else str(token)


@contextmanager
def restore_lock(engine: Engine, *, shared: bool) -> Iterator[Connection]:
    """Keep restores away, and unless `shared` servers that start too, on whatever machine. Raises RestoreRuns."""
    kind = "_shared" if shared else ""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Not the pool's any more, which a restore empties: it is closed at the end, and the lock with it.
        connection.detach()
        if not connection.scalar(text(f"SELECT pg_try_advisory_lock{kind}(:lock)"), {"lock": LOCK}):
            raise RestoreRuns
        try:
            yield connection
        finally:
            # A server that is busy notices only later that the connection is closed: who comes next would be refused.
            with suppress(DBAPIError):
                connection.execute(text(f"SELECT pg_advisory_unlock{kind}(:lock)"), {"lock": LOCK})


def count_other_connections(connection: Connection) -> int:
    """Count our programs' other connections to this database, from whatever machine.

    Those of a server that has just stopped are waited for: PostgreSQL ends them a moment later.
    """
    counted = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND application_name LIKE 'microsite%'"
    )
    until = time.monotonic() + _PATIENCE
    while (count := connection.scalar(counted) or 0) and time.monotonic() < until:
        time.sleep(0.1)
        # One transaction sees one state of it (postgresql.org/docs/current/monitoring-stats.html).
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    return count


def _find_program(name: str, engine: Engine) -> str:
    """Raise ProgramFailed if it is missing, or older than the server's major version (pg_dump refuses that too)."""
    with engine.connect() as connection:
        server = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    program = _find(name)
    said = subprocess.run([program, "--version"], capture_output=True, check=True, text=True).stdout  # noqa: S603  # found by its name
    match = re.search(r"(\d+)(?:\.|beta|rc|devel|\s|$)", said)
    if match and int(match[1]) < server:
        raise ProgramFailed(
            f"{name} est en version {match[1]}, le serveur PostgreSQL en version {server} : "
            f"installez les programmes clients de PostgreSQL {server} (postgresql-client-{server})"
        )
    return program


def _find(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise ProgramFailed(f"{name} est introuvable : installez les programmes clients de PostgreSQL")
    return program


def _connection(url: URL) -> tuple[str, str]:
    # A password on the command line would show in the list of processes.
    shown = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    return "--no-password", f"--dbname={shown}"


def _run(program: str, *arguments: str, url: URL | None = None) -> None:
    secret = {"PGPASSWORD": url.password} if url and url.password else {}
    ran = subprocess.run(  # noqa: S603  # our own arguments, no shell
        [program, *arguments],
        env=os.environ | secret,
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
    )
    if ran.returncode != 0:
        lines = [line for line in ran.stderr.splitlines() if line and not any(mark in line for mark in _QUOTES_ROWS)]
        raise ProgramFailed(f"{Path(program).name} a échoué : {' ; '.join(lines[:_QUOTED])}")
