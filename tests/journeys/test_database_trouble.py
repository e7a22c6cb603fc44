"""A database that can't be written for a while: a clear page, every answer kept, and no restart to recover."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from microsite.applications.forms import MOTIVATION_LIMIT
from microsite.db import db
from microsite.keys import FILES as KEY_FILES
from microsite.web.errors import RETRY_AFTER

from ..answers import APPLICATION, BROCHURE, export, plan_slot
from ..conftest import Environ
from ..page import CheckedClient, Form
from ..served import Visitor, served
from ..trouble import filled_up, integrity, locked, read_only, small_disk

pytestmark = pytest.mark.slow

PAGES = ("/", "/brochure", "/portes-ouvertes", "/candidater")
# Long enough for the database to need new pages.
LONG = APPLICATION | {"motivation": "É" * MOTIVATION_LIMIT}
VISITORS = 16

Trouble = Callable[[Path], AbstractContextManager[None]]


@pytest.fixture
def environ(sqlite_template: Path, tmp_path: Path) -> Iterator[Environ]:
    """An installation on a small disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, megabytes=4):
        shutil.copy(sqlite_template, disk / "microsite.sqlite3")
        for name in KEY_FILES:
            shutil.copy(sqlite_template.with_name(name), disk)
        yield {
            "MICROSITE_INSTANCE_PATH": str(disk),
            "MICROSITE_MIN_FILL_SECONDS": "0",
            "MICROSITE_FORM_RATE_LIMIT": "0,0",
            "MICROSITE_PAGE_SECONDS": "0",
        }


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """On that disk."""
    return make_app()


@pytest.fixture
def disk(environ: Environ) -> Path:
    return Path(environ["MICROSITE_INSTANCE_PATH"])


@pytest.mark.parametrize(
    ("trouble", "is_warm"),
    [
        pytest.param(read_only, True, id="read-only"),
        # The first connections of its processes are opened in the midst of it.
        pytest.param(read_only, False, id="read-only from the start"),
        pytest.param(filled_up, True, id="full disk"),
        pytest.param(locked, True, id="held locked"),
    ],
)
def test_trouble_keeps_the_answers_and_passes_by_itself(
    client: CheckedClient, app: Flask, environ: Environ, disk: Path, trouble: Trouble, is_warm: bool
) -> None:
    slot = plan_slot(app, capacity=VISITORS)
    offers = [("/candidater", LONG), ("/portes-ouvertes", BROCHURE | {"slot": slot})] * (VISITORS // 2)
    filled_in = [
        Form(path, client.page(path).form(path).filled(**answers | {"email": f"zoe{number}@exemple.fr"}))
        for number, (path, answers) in enumerate(offers)
    ]

    # As many threads as visitors: nobody waits for one.
    with served(environ | {"MICROSITE_THREADS": str(VISITORS)}) as site, ThreadPoolExecutor(VISITORS) as pool:
        visitor = Visitor(site)
        if is_warm:
            visitor.page("/portes-ouvertes")
        with trouble(disk):
            refused = list(pool.map(visitor.send, filled_in))
            readable = {page.status for page in pool.map(visitor.page, PAGES * 8)}
            kept_meanwhile = export(app)
        shown_again = [page.form(form.action) for page, form in zip(refused, filled_in, strict=True)]
        accepted = list(pool.map(visitor.send, shown_again))

    for page in refused:
        assert (page.status, page.response.headers["Retry-After"]) == (503, str(RETRY_AFTER))
        assert "Nous n’avons pas pu enregistrer votre demande. Vos réponses sont toujours là" in page.summary()
    assert (readable, kept_meanwhile) == ({200}, [])
    assert [_answers(form) for form in shown_again] == [_answers(form) for form in filled_in]
    assert {page.status for page in accepted} == {303}
    assert sorted(row["email"] for row in export(app)) == sorted(form.values["email"] for form in filled_in)
    assert {row["motivation"] for row in export(app) if row["form"] == "application"} == {LONG["motivation"]}
    assert integrity(disk) == "ok"


def _answers(form: Form) -> dict[str, str]:
    """What was typed; the token is signed anew."""
    return {name: value for name, value in form.values.items() if name != "form_token"}


def test_reader_that_met_the_database_read_only_stops_writers_no_longer_than_it_lasts(
    client: CheckedClient, app: Flask, environ: Environ, disk: Path
) -> None:
    form = client.page("/brochure").form("/brochure")
    with served(environ) as site:
        # Another process has the database open: what this one opens next shares its -shm file.
        Visitor(site).page("/portes-ouvertes")
        with app.test_request_context("/"):
            with read_only(disk):
                db.engine.dispose()
                reader = _reading_connection()
            for connection in [_reading_connection() for _ in range(3)]:
                connection.close()
        met = client.send(form, **BROCHURE)
        reader.close()

        accepted = client.send(form, **BROCHURE)

    # With the rollback journal, on older libraries, nothing is shared and nobody is refused.
    assert met.status in (303, 503)
    assert accepted.status == 303
    assert len(export(app)) == 1


def _reading_connection() -> Connection:
    connection = db.engine.connect()
    connection.execute(text("SELECT * FROM leads"))
    return connection
