"""Installations full of samples, kept for the next time, and somebody to look at them."""

import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import func, select

from microsite import create_app
from microsite.backoffice.accounts.services import add_staff
from microsite.backoffice.models import Role
from microsite.db import db, reading, writing
from microsite.keys import FILES as KEY_FILES
from microsite.leads.models import Lead, Submission
from microsite.sqlite_engine import sqlite
from microsite.web.context import utc_now

from .options import Options, number

_EMAIL, PASSWORD = "mesure@example.org", "quatre petits chats mesurent"
DATABASE = "microsite.sqlite3"


def filled(options: Options, submissions: int) -> tuple[Flask, dict[str, str]]:
    """The installation with that many submissions, made if need be, and what is to be told of it."""
    folder = options.folder / str(submissions)
    folder.mkdir(exist_ok=True)
    app = create_app({"MICROSITE_INSTANCE_PATH": str(folder), "MICROSITE_MIN_FILL_SECONDS": "0"})
    with app.app_context():
        upgrade()
        with reading():
            there = db.session.execute(select(func.count(Submission.id))).scalar_one()
    if not there:
        result = app.test_cli_runner().invoke(args=["ops", "sample", "--submissions", str(submissions)])
        if result.exit_code:
            sys.exit(result.output)
    elif there < submissions:
        sys.exit(f"{folder} holds {there} submissions: remove it")
    with app.app_context(), reading():
        leads = db.session.execute(select(func.count(Lead.id))).scalar_one()
    size = sum(path.stat().st_size for path in folder.glob("*.sqlite3"))
    return app, {"contacts inventés": number(leads), "fichier de la base": f"{number(size / 1e6)} Mo"}


@contextmanager
def copied(options: Options, submissions: int, environ: Mapping[str, str]) -> Iterator[Flask]:
    """One whose database may be written to: it goes at the end."""
    source = options.folder / str(submissions)
    folder = options.folder / f"{submissions}-copy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _copy(source / DATABASE, folder / DATABASE)
    for name in KEY_FILES:
        # The database knows its keys, and takes no others.
        shutil.copy(source / name, folder)
    app = create_app({**environ, "MICROSITE_INSTANCE_PATH": str(folder)})
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        shutil.rmtree(folder)


def _copy(source: Path, target: Path) -> None:
    """Also what stands in its write-ahead log still."""
    before, after = sqlite.connect(source), sqlite.connect(target)
    before.backup(after)
    before.close()
    after.close()


def signed_in(app: Flask) -> FlaskClient:
    email = f"{time.time_ns()}.{_EMAIL}"
    with app.app_context(), writing():
        add_staff(
            db.session(),
            email=email,
            name="Mesure",
            role=Role.ADMINISTRATOR,
            password=PASSWORD,
            must_change_password=False,
            now=utc_now(),
        )
    client = app.test_client()
    page = client.get("/admissions/connexion").get_data(as_text=True)
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    answer = client.post("/admissions/connexion", data={"csrf_token": token, "email": email, "password": PASSWORD})
    if answer.status_code != 303:
        sys.exit("signing in failed")
    return client


def download_export(url: str, client: FlaskClient, filters: Mapping[str, str]) -> int:
    """Press « Télécharger » on the served site, as who is signed in; return the file's size in bytes."""
    page = client.get("/admissions/exports").get_data(as_text=True)
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    form = {"csrf_token": token, "sorte": "demandes", "format": "excel-fr", **filters}
    # A first page adds the form's secret to the session.
    headers = {"Cookie": client.get("/admissions/exports").request.headers["Cookie"]}
    asked = urllib.request.Request(f"{url}/admissions/exports", urlencode(form).encode(), headers)
    with urllib.request.urlopen(asked, timeout=600) as answer:  # our own server
        if answer.headers["Content-Type"].partition(";")[0] != "text/csv":
            sys.exit("the export gave no file")
        return sum(len(part) for part in iter(lambda: answer.read(2**16), b""))
