"""Views of the served site: written down within seconds, and at the latest when it is told to stop."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from microsite.campaigns.models import ViewCount
from microsite.db import db

from ..conftest import Environ
from ..served import fetch, started
from ..waiting import wait_until
from .conftest import PHONE

pytestmark = pytest.mark.slow


def _look(site: str, *, times: int) -> None:
    for _ in range(times):
        assert fetch(site, "/brochure", {"User-Agent": PHONE})[0] == 200


def _written(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.sum(ViewCount.count))) or 0


def test_server_that_is_told_to_stop_writes_the_last_views(app: Flask, environ: Environ) -> None:
    with started(environ) as server:
        _look(server.site, times=20)

    assert _written(app) == 20


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_server_that_is_killed_loses_the_last_seconds_views_alone(app: Flask, environ: Environ) -> None:
    with started(environ) as server:
        _look(server.site, times=20)
        wait_until(lambda: _written(app) == 20, "both processes have written their views")
        server.kill()

    assert _written(app) == 20
