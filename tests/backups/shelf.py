"""Backing up and restoring, as an operator does it: by commands, in processes of their own or not."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from microsite.config import PROJECT_ROOT
from microsite.db import db, writing
from microsite.operations.backup import find_backups

from ..answers import export
from ..postgres import create_database
from ..privacy.owners import rows
from ..served import clean_environ

FORCED = ("--force",)
KEYS = ("secret_key", "erasure_key")


def told(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["ops", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def refused(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["ops", *arguments])
    # The process of a real command ends, and its connections with it.
    let_go(app)
    assert result.exit_code == 1, result.output
    return result.stderr


def command(app: Flask, *arguments: str, **options: str) -> tuple[int, str, str]:
    """Any command; its exit code and what it says on both outputs."""
    result = app.test_cli_runner().invoke(args=list(arguments), **options)
    let_go(app)
    return result.exit_code, result.stdout, result.stderr


def erase(app: Flask, email: str) -> None:
    code, _, said = command(app, "privacy", "erase", email, "--yes")
    assert code == 0, said


def emails(app: Flask) -> list[str]:
    found = sorted(row["email"] for row in export(app))
    let_go(app)
    return found


def forget_fingerprints(app: Flask) -> None:
    """A database that comes from before there were any."""
    with app.app_context(), writing():
        db.session.execute(text("DELETE FROM key_fingerprints"))
    let_go(app)


def folder_of(app: Flask) -> Path:
    return Path(app.instance_path)


def back_up(app: Flask) -> Path:
    told(app, "backup")
    return find_backups(Path(app.instance_path) / "backups")[0].path


def kept(app: Flask) -> dict[str, list[Any]]:
    """Every row, but who is signed in: a restore signs everybody out."""
    let_go(app)
    return {table: found for table, found in rows(app).items() if table != "staff_sessions"}


def let_go(app: Flask) -> None:
    """This application's connections, which a restore would take for a server's."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def start(environ: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    """`ops …` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "flask", "ops", *arguments],
        cwd=PROJECT_ROOT,
        env=clean_environ() | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(environ: dict[str, str], *arguments: str) -> str:
    with start(environ, *arguments) as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def elsewhere(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Settings of an installation that doesn't exist yet, on the same engine."""
    settings = environ | {"MICROSITE_INSTANCE_PATH": str(tmp_path / "elsewhere")}
    if "DATABASE_URL" in environ:
        settings["DATABASE_URL"] = new_database(environ["DATABASE_URL"], tmp_path)
    return settings


def new_database(url: str, tmp_path: Path) -> str:
    name = re.sub("[^a-z0-9]", "_", f"new_{os.getpid()}_{tmp_path.name[-40:].lower()}")
    create_database(url, name)
    base, _, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{query}"
