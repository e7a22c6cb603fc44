"""A database that can't be written for a while: a clear page, every answer kept, and no restart to recover."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from microsite.db import db
from microsite.web.errors import RETRY_AFTER

from ..answers import BROCHURE, add_slot, export
from ..conftest import Environ
from ..page import CheckedClient, Page
from ..served import Visitor, served
from ..trouble import read_only

PAGES = ("/", "/brochure", "/portes-ouvertes", "/candidater")
EMAILS = [f"zoe{number}@exemple.fr" for number in range(16)]

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(len(EMAILS)) as pool:
        yield pool


@pytest.fixture
def instance(environ: Environ) -> Path:
    return Path(environ["MICROSITE_INSTANCE_PATH"])


def assert_told_to_try_again(page: Page) -> None:
    assert (page.status, page.response.headers["Retry-After"]) == (503, str(RETRY_AFTER))
    assert "Nous n’avons pas pu enregistrer votre demande. Vos réponses sont toujours là" in page.summary()


@pytest.mark.parametrize("is_warm", [True, False], ids=["used before", "never used before"])
def test_read_only_database_keeps_the_answers_and_recovers_by_itself(
    client: CheckedClient, app: Flask, environ: Environ, instance: Path, pool: ThreadPoolExecutor, is_warm: bool
) -> None:
    slot = add_slot(app, capacity=len(EMAILS))
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")

    with served(environ) as site:
        visitor = Visitor(site)
        if is_warm:
            visitor.page("/portes-ouvertes")
        with read_only(instance):
            refused = list(pool.map(lambda email: visitor.send(form, **BROCHURE | {"email": email}, slot=slot), EMAILS))
            statuses = set(pool.map(lambda path: visitor.page(path).status, PAGES * 8))
        forms = [page.form("/portes-ouvertes") for page in refused]
        accepted = list(pool.map(visitor.send, forms))

    for page in refused:
        assert_told_to_try_again(page)
    assert statuses == {200}
    assert [(kept.values["email"], kept.values["slot"]) for kept in forms] == [(email, slot) for email in EMAILS]
    assert {page.status for page in accepted} == {303}
    assert sorted(row["email"] for row in export(app)) == sorted(EMAILS)


def test_reader_that_met_the_database_read_only_stops_writers_no_longer_than_it_lasts(
    client: CheckedClient, app: Flask, environ: Environ, instance: Path
) -> None:
    form = client.page("/brochure").form("/brochure")
    with served(environ) as site:
        # Another process has the database open: what this one opens next shares its -shm file.
        Visitor(site).page("/portes-ouvertes")
        with app.test_request_context("/"):
            with read_only(instance):
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
