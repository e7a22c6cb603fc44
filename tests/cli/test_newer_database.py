"""An old program says so when a newer one has brought the database up to date, and changes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from microsite.cli.leads import leads
from microsite.cli.open_days import open_days
from microsite.cli.ops import ops
from microsite.cli.outbox import outbox
from microsite.cli.privacy import privacy
from microsite.cli.staff import staff
from microsite.config import PROJECT_ROOT
from microsite.db import db, writing

from ..conftest import Environ
from ..engines import mostly_sqlite
from ..privacy.owners import rows
from ..served import clean_environ, free_port

NEWER = "2099_newer"


@pytest.fixture
def newer(app: Flask) -> None:
    with app.app_context(), writing():
        db.session.execute(text("UPDATE alembic_version SET version_num = :newer"), {"newer": NEWER})


def _run(environ: Environ, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=PROJECT_ROOT,
        env=clean_environ() | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("command", ["serve", "ops backup", "ops check --fast", "db upgrade", "db current"])
@mostly_sqlite
def test_old_program_names_the_newer_version_and_what_to_do(environ: Environ, command: str) -> None:
    ran = _run(environ | {"PORT": str(free_port())}, *command.split())

    assert ran.returncode == 1
    said = ran.stdout + ran.stderr
    assert f"la base de données est en version {NEWER}, plus récente que ce programme" in said
    assert "reprenez la version du programme" in said
    assert "Traceback" not in said
    assert "db upgrade" not in said
    assert "locate revision" not in said


# What each asks for; the others ask for nothing.
ARGUMENTS = {
    "open-days import": ["-"],
    "outbox drop": ["1"],
    "outbox preview": ["--output", "messages"],
    "staff add": ["zoe@exemple.fr", "--name", "Zoé", "--role", "marketing"],
    "staff reset": ["zoe@exemple.fr"],
    "staff disable": ["zoe@exemple.fr"],
    "privacy export": ["zoe@exemple.fr"],
    "ops rotate-key": ["--now"],
    "ops adopt-key": ["secret_key", "--lost", "--yes"],
    "ops sample": ["--submissions", "10"],
}
GROUPS = (leads, open_days, outbox, staff, privacy, ops)
# The one names the newer database among its findings, the other replaces it.
SUITED = {"ops check", "ops restore"}


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    "command", sorted({f"{group.name} {name}" for group in GROUPS for name in group.commands} - SUITED)
)
def test_every_command_refuses_the_newer_database_and_changes_nothing(app: Flask, command: str) -> None:
    keys = {path: path.read_bytes() for path in Path(app.instance_path).glob("*_key")}
    before = rows(app)

    ran = app.test_cli_runner().invoke(args=[*command.split(), *ARGUMENTS.get(command, [])])

    assert (ran.exit_code, f"en version {NEWER}" in ran.output) == (1, True), ran.output
    assert rows(app) == before
    assert {path: path.read_bytes() for path in Path(app.instance_path).glob("*_key")} == keys


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("command", ["leads export", "ops backup", "staff add"])
def test_help_needs_no_database_that_fits(app: Flask, command: str) -> None:
    assert app.test_cli_runner().invoke(args=[*command.split(), "--help"]).exit_code == 0


@pytest.mark.usefixtures("newer")
@mostly_sqlite
def test_old_program_leaves_the_newer_database_as_it_is_and_saves_nothing(app: Flask, environ: Environ) -> None:
    for command in ("serve", "ops backup"):
        _run(environ | {"PORT": str(free_port())}, *command.split())

    with app.app_context():
        assert db.session.scalar(text("SELECT version_num FROM alembic_version")) == NEWER
    assert not list(Path(environ["MICROSITE_INSTANCE_PATH"]).glob("backups/*.tar.gz"))


@pytest.mark.usefixtures("newer")
def test_command_that_misses_what_the_newer_program_renamed_names_the_newer_version(
    app: Flask, environ: Environ
) -> None:
    with app.app_context(), writing():
        db.session.execute(text("ALTER TABLE outgoing_mails RENAME COLUMN status TO state"))

    ran = _run(environ, "outbox", "list")

    assert ran.returncode == 1
    assert f"en version {NEWER}" in ran.stderr
