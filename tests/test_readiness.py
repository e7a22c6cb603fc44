"""/readyz: what it looks at, what it says when that isn't well, and that it asks for little and tells nobody's data."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from microsite.db import db, writing
from microsite.open_days.services import ALERT_EMAIL
from microsite.outbox.services import enqueue
from microsite.web.context import utc_now

from .answers import BROCHURE
from .conftest import Environ
from .page import CheckedClient
from .trouble import filled_up, locked, small_disk

READY = {"status": "ready", "database": "ok", "disk": "ok", "outbox": "ok"}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """One of the test's own, which remembers its answer for a second."""
    return make_app()


def _told(app: Flask) -> tuple[int, dict[str, str]]:
    """Asked anew: an answer counts for a second."""
    app.extensions["readiness"]._until = 0
    answer = app.test_client().get("/readyz")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    return answer.status_code, answer.get_json()


def test_site_that_is_well_is_ready(app: Flask, client: CheckedClient) -> None:
    client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))

    assert _told(app) == (200, READY)
    with time_machine.travel(utc_now() + timedelta(hours=2), tick=True):
        assert _told(app) == (503, READY | {"status": "not ready", "outbox": "late"})


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_locked_database_is_not_ready_until_it_is_free(app: Flask, environ: Environ) -> None:
    with locked(Path(environ["MICROSITE_INSTANCE_PATH"])):
        assert _told(app) == (503, READY | {"status": "not ready", "database": "unavailable"})
        assert app.test_client().get("/healthz").status_code == 200

    assert _told(app) == (200, READY)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_disk_that_is_almost_full_is_told(app: Flask, environ: Environ) -> None:
    instance = Path(environ["MICROSITE_INSTANCE_PATH"])
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    with small_disk(instance, megabytes=20), filled_up(instance):
        status, parts = _told(app)

    assert status == 503
    assert parts["disk"] == "almost full"
    assert parts["database"] == "unavailable"


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_postgresql_that_takes_no_writes_is_told(app: Flask) -> None:
    name = "ALTER DATABASE {} SET default_transaction_read_only = {}"
    with app.app_context():
        database = db.engine.url.database
        for is_read_only in (True, False):
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("SET default_transaction_read_only = off")
                connection.exec_driver_sql(name.format(database, "on" if is_read_only else "off"))
            db.engine.dispose()
            status, parts = _told(app)
            assert (status, parts["database"]) == ((503, "read only") if is_read_only else (200, "ok"))


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_answer_counts_for_a_second(app: Flask) -> None:
    """However often it is asked, writers wait for it once a second at most."""
    assert app.test_client().get("/readyz").status_code == 200
    with app.app_context(), writing():
        enqueue(db.session(), ALERT_EMAIL, cause="JPO-222222", now=utc_now() - timedelta(days=1))

    assert app.test_client().get("/readyz").status_code == 200
    assert _told(app)[0] == 503
