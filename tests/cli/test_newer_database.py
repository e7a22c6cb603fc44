"""An old program says so when a newer one has brought the database up to date, and changes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from microsite.config import PROJECT_ROOT
from microsite.db import db, writing

from ..conftest import Environ
from ..served import clean_environ, free_port

NEWER = "2099_newer"


@pytest.fixture
def newer(app: Flask) -> None:
    with app.app_context(), writing():
        db.session.execute(text("UPDATE alembic_version SET version_num = :newer"), {"newer": NEWER})


def _run(environ: Environ, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=PROJECT_ROOT,
        env=clean_environ() | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("command", ["serve", "ops backup", "ops check --fast"])
def test_old_program_names_the_newer_version_and_what_to_do(environ: Environ, command: str) -> None:
    ran = _run(environ | {"PORT": str(free_port())}, *command.split())

    assert ran.returncode == 1
    said = ran.stdout + ran.stderr
    assert f"la base de données est en version {NEWER}, plus récente que ce programme" in said
    assert "reprenez la version du programme" in said
    assert "Traceback" not in said
    assert "db upgrade" not in said


@pytest.mark.usefixtures("newer")
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
