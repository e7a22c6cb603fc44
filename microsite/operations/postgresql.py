"""pg_dump and pg_restore, found on PATH; and the schema that is kept aside while another one takes its place."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, text

from .archive import ArchiveRefused
from .server_locks import RestoreRuns

# Where the tables stand that a restore is about to replace.
ASIDE = "microsite_avant"
# PostgreSQL's advisory lock for who replaces the tables, or begins to serve them; any number does.
LOCK = 7301944021
# Seconds that connections which are ending are waited for.
_PATIENCE = 5
# Lines of a program's complaint that are told.
_TOLD = 3


class ProgramFailed(RuntimeError):
    """pg_dump or pg_restore is missing, too old, or said no; the text says so, in French, without a password."""


def dump(engine: Engine, path: Path) -> None:
    """The whole schema, as it stands at one moment, in PostgreSQL's custom format. Raises ProgramFailed."""
    path.touch(mode=0o600)
    with engine.connect() as connection:
        server = _server_version(connection)
    program = find_program("pg_dump", server)
    _run(program, engine.url, "--format=custom", "--schema=public", "--no-owner", "--no-privileges", f"--file={path}")


def load(engine: Engine, path: Path) -> None:
    """Into an empty schema, all of it or nothing. Raises ProgramFailed."""
    with engine.connect() as connection:
        server = _server_version(connection)
    program = find_program("pg_restore", server)
    how = ("--schema=public", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    _run(program, engine.url, *how, str(path))


def check_dump(path: Path) -> None:
    """Raises ArchiveRefused if pg_restore can't read it."""
    ran = subprocess.run(  # noqa: S603  # our own file
        [_find("pg_restore"), "--list", path], capture_output=True, check=False, text=True
    )
    if ran.returncode != 0:
        raise ArchiveRefused(f"pg_restore ne la lit pas : {_told(ran.stderr)}")


def find_program(name: str, server: int) -> str:
    """Raises ProgramFailed when it is missing, or older than the server's major version (pg_dump refuses that too)."""
    program = _find(name)
    said = subprocess.run([program, "--version"], capture_output=True, check=True, text=True).stdout  # noqa: S603  # pg_dump or pg_restore
    match = re.search(r"(\d+)(?:\.|beta|rc|devel|\s|$)", said)
    if match and int(match[1]) < server:
        raise ProgramFailed(
            f"{name} est en version {match[1]}, le serveur PostgreSQL en version {server} : "
            f"installez les programmes clients de PostgreSQL {server} (postgresql-client-{server})"
        )
    return program


@contextmanager
def no_restore(engine: Engine, *, but_mine: bool = False) -> Iterator[Connection]:
    """Nobody replaces the tables meanwhile, from whatever machine, `but_mine`: and nobody else begins to serve them.

    Raises RestoreRuns.
    """
    shared = "" if but_mine else "_shared"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Not the pool's any more, which a restore empties: it is closed at the end, and the lock with it.
        connection.detach()
        if not connection.scalar(text(f"SELECT pg_try_advisory_lock{shared}(:lock)"), {"lock": LOCK}):
            raise RestoreRuns
        yield connection


def put_aside(engine: Engine) -> None:
    """What is there keeps its place under another name, until keep_new() or take_back()."""
    with engine.begin() as connection:
        connection.execute(text(f"ALTER SCHEMA public RENAME TO {ASIDE}"))
        connection.execute(text("CREATE SCHEMA public"))


def take_back(engine: Engine) -> bool:
    """Undo what was begun; False if there is nothing to undo."""
    with engine.begin() as connection:
        if not is_aside(connection):
            return False
        connection.execute(text("DROP SCHEMA IF EXISTS public CASCADE"))
        connection.execute(text(f"ALTER SCHEMA {ASIDE} RENAME TO public"))
    return True


def keep_new(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {ASIDE} CASCADE"))


def is_aside(connection: Connection) -> bool:
    named = text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name")
    return connection.scalar(named, {"name": ASIDE}) is not None


def others(connection: Connection) -> int:
    """How many other connections our programs have to this database, from whatever machine.

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


def _server_version(connection: Connection) -> int:
    return int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000


def _find(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise ProgramFailed(f"{name} est introuvable : installez les programmes clients de PostgreSQL")
    return program


def _run(program: str, url: URL, *arguments: str) -> None:
    # A password on the command line would show in the list of processes.
    shown = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    secret = {"PGPASSWORD": url.password} if url.password else {}
    ran = subprocess.run(  # noqa: S603  # our own arguments, no shell
        [program, "--no-password", f"--dbname={shown}", *arguments],
        env=os.environ | secret,
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
    )
    if ran.returncode != 0:
        raise ProgramFailed(f"{Path(program).name} a échoué : {_told(ran.stderr)}")


def _told(errors: str) -> str:
    # PostgreSQL quotes rows in its details.
    lines = [line for line in errors.splitlines() if line and "DETAIL" not in line and "Key (" not in line]
    return " ; ".join(lines[:_TOLD])
