"""Several processes, real connections: what happens at the same moment."""

import os
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select

from microsite import create_app
from microsite.backoffice.models import StaffMember
from microsite.config import PROJECT_ROOT
from microsite.db import db

from ..answers import BROCHURE, count_taken, export, only, plan_slot
from ..conftest import Environ
from ..page import CheckedClient
from ..postgres import create_database
from ..served import Visitor, clean_environ, free_port, served, started


@pytest.fixture
def new_installation(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Environ:
    """An instance folder that doesn't exist yet and a database without tables: what `make run` finds at first."""
    settings = {
        "MICROSITE_INSTANCE_PATH": str(tmp_path / "new"),
        "MICROSITE_MIN_FILL_SECONDS": "0",
        "MICROSITE_FORM_RATE_LIMIT": "0,0",
        "MICROSITE_PAGE_SECONDS": "0",
    }
    if engine_name == "postgresql":
        url = request.getfixturevalue("postgresql_url")
        name = f"new_{os.getpid()}_{tmp_path.name[-40:]}".replace("-", "_").lower()
        create_database(url, name)
        base, _, query = url.partition("?")
        settings["DATABASE_URL"] = f"{base.rpartition('/')[0]}/{name}?{query}"
    return settings


@pytest.mark.slow
def test_five_parallel_identical_posts_give_one_submission(client: CheckedClient, app: Flask, environ: Environ) -> None:
    body = urlencode(client.page("/brochure").form("/brochure").filled(**BROCHURE)).encode()

    with served(environ) as site, ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: Visitor(site).post("/brochure", body), range(5)))
        pages = {Visitor(site).get(location)[1] for _, location in answers}

    reference = only(export(app))["reference"]
    assert [status for status, _ in answers] == [303] * 5
    assert all(reference in page for page in pages)


@pytest.mark.slow
def test_parallel_registrations_never_exceed_the_capacity(client: CheckedClient, app: Flask, environ: Environ) -> None:
    slot = plan_slot(app, capacity=7)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    bodies = [
        urlencode(form.filled(**BROCHURE | {"email": f"zoe{number}@exemple.fr"}, slot=slot, companions="1")).encode()
        for number in range(16)
    ]

    with served(environ, workers=4) as site, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: Visitor(site).post("/portes-ouvertes", body), bodies))

    assert sorted(status for status, _ in answers) == [303] * 3 + [422] * 13
    assert len(export(app)) == 3
    assert count_taken(app, slot) == 6


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_new_installation_is_served_with_samples_once(new_installation: Environ) -> None:
    for _ in range(2):
        with served(new_installation, options=("--samples",)) as site:
            assert Visitor(site).get("/portes-ouvertes")[1].count("(date d’exemple)") == 4

    # Printed on a terminal: it mustn't stay anybody's (OWASP ASVS 5.0, 6.4.1).
    app = create_app(new_installation)
    with app.app_context():
        assert db.session.scalars(select(StaffMember)).one().must_change_password
        db.session.remove()
        db.engine.dispose()


@pytest.mark.slow
def test_processes_that_start_together_migrate_once(new_installation: Environ) -> None:
    command = [sys.executable, "-m", "flask", "db", "upgrade"]

    started = [
        subprocess.Popen(command, cwd=PROJECT_ROOT, env=clean_environ() | new_installation, stderr=subprocess.PIPE)
        for _ in range(4)
    ]

    for process in started:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_two_servers_started_together_on_one_port_give_one(new_installation: Environ) -> None:
    port = str(free_port())
    with served(new_installation, port=port, options=("--samples",)) as site:
        second = subprocess.run(
            [sys.executable, "-m", "flask", "serve", "--samples"],
            cwd=PROJECT_ROOT,
            env=clean_environ() | new_installation | {"PORT": port},
            capture_output=True,
            check=False,
        )
        assert Visitor(site).get("/portes-ouvertes")[1].count("(date d’exemple)") == 4

    assert second.returncode == 1
    assert "le site est déjà servi sur ce port" in second.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_relative_instance_folder_stays_the_same_once_served(engine_name: str, tmp_path: Path) -> None:
    with served({"MICROSITE_INSTANCE_PATH": "relative"}, cwd=tmp_path, options=("--samples",)) as site:
        assert Visitor(site).get("/portes-ouvertes")[1].count("(date d’exemple)") == 4

    assert (tmp_path / "relative" / "microsite.sqlite3").exists()


@pytest.mark.slow
def test_more_visitors_than_connections_all_get_an_answer(client: CheckedClient, app: Flask, environ: Environ) -> None:
    form = client.page("/brochure").form("/brochure")
    bodies = [urlencode(form.filled(**BROCHURE | {"email": f"zoe{n}@exemple.fr"})).encode() for n in range(100)]

    with served(environ | {"MICROSITE_THREADS": "32"}, workers=1) as site, ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda body: Visitor(site).post("/brochure", body), bodies))

    assert {status for status, _ in answers} == {303}
    assert len(export(app)) == 100


def test_port_that_is_taken_is_told_with_a_way_on(environ: Environ) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "flask", "serve"]
        ran = subprocess.run(
            command,
            cwd=PROJECT_ROOT,
            env=clean_environ() | environ | {"PORT": str(port)},
            capture_output=True,
            check=False,
        )

    assert ran.returncode == 1
    assert f"impossible d’écouter sur 127.0.0.1:{port}" in ran.stderr.decode()
    assert f"PORT={port + 1} make run" in ran.stderr.decode()


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_serve_prints_what_to_open_and_keeps_leads_to_their_owner(new_installation: Environ, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with served(new_installation, log=log, options=()) as site:
        folder = Path(new_installation["MICROSITE_INSTANCE_PATH"])
        modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}

    assert modes == {(False, 0o600), (True, 0o700)}
    assert f"{site}/candidater" in log.read_text()
    assert "leads export --output contacts.csv" in log.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_start_ends_with_how_to_stop_and_no_advice_of_the_server(environ: Environ, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started(environ, workers=(os.cpu_count() or 1) + 1, options=(), log=log):
        told = log.read_text()

    assert told.strip().splitlines()[-1].startswith("Pour arrêter")
    assert "WARNING" not in told
