"""One PostgreSQL cluster for a test run: in a temporary folder, on a socket of its own, run by an unprivileged user."""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg


def find_programs() -> Path | None:
    """The folder of the server's programs; a client alone (psql) isn't enough."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places += sorted(Path("/opt/homebrew/opt").glob("postgresql*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


class Cluster:
    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # initdb refuses to run as root.
        self.user = "nobody" if os.geteuid() == 0 else getpass.getuser()
        # Short: a socket's path has a limit of about 100 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)

    def start(self) -> None:
        data = str(self.folder / "data")
        self._run("initdb", "--pgdata", data, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8")
        self.come_back()

    def go_away(self, mode: str) -> None:
        """`fast` ends its transactions, `immediate` is like a crash (postgresql.org, pg_ctl)."""
        self._run("pg_ctl", "stop", "--wait", "--mode", mode, "--pgdata", str(self.folder / "data"))

    def come_back(self) -> None:
        data = str(self.folder / "data")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        self._run("pg_ctl", "start", "--wait", "--pgdata", data, "--log", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        self.go_away("immediate")
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.folder}&user={self.user}"

    def _run(self, program: str, *arguments: str) -> None:
        user = self.user if os.geteuid() == 0 else None
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            user=user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )


def create_database(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())


def empty_database(url: str) -> None:
    """No row left in any table, and ids from 1 again."""
    with psycopg.connect(url, autocommit=True) as connection:
        # A table whose ids were never given out is empty: emptying it takes as long as any other.
        used = connection.execute("SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL")
        tables = [name.removesuffix("_id_seq") for (name,) in used]
        if tables:
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE".encode())


def drop_tables(url: str) -> None:
    """As a new database is."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def revision_of(url: str) -> str:
    """The migration that the database is at; empty if it has no table."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return ""
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found[0]) if found else ""
