"""A server that has much to write: forms wait, each on a thread of its own, and neither pages nor staff wait for them."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest
from flask import Flask
from sqlalchemy import update

from microsite.backoffice.models import Role, StaffSession
from microsite.db import db, writing
from microsite.web.concurrency import SERVER_THREADS
from microsite.web.context import utc_now

from ..answers import BROCHURE, export
from ..backoffice.conftest import PASSWORD, add_member, address, enter
from ..conftest import Environ
from ..page import CheckedClient
from ..served import Visitor, fetch, started
from ..trouble import locked
from ..waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow

HALF = SERVER_THREADS // 2
PAGES = ("/", "/brochure", "/portes-ouvertes", "/admissions/connexion", "/healthz")


@contextmanager
def _submissions_held(environ: Environ) -> Iterator[None]:
    """Nobody else can write a submission; on SQLite, nobody else can write at all."""
    if "DATABASE_URL" not in environ:
        with locked(Path(environ["MICROSITE_INSTANCE_PATH"])):
            yield
        return
    with psycopg.connect(environ["DATABASE_URL"]) as connection:
        connection.execute("LOCK TABLE submissions IN EXCLUSIVE MODE")
        yield


def _bodies(client: CheckedClient, count: int) -> list[bytes]:
    answers = client.page("/brochure").form("/brochure").filled(**BROCHURE)
    return [urlencode(answers | {"email": f"zoe{number}@exemple.fr"}).encode() for number in range(count)]


@contextmanager
def _slow_forms(site: str, count: int) -> Iterator[None]:
    """Forms of which the site has read the first bytes, and whose rest doesn't come."""
    with ExitStack() as open_ones:
        for _ in range(count):
            where = urlsplit(site)
            slow = socket.create_connection((str(where.hostname), int(where.port or 80)), timeout=30)
            open_ones.enter_context(slow)
            head = "POST /brochure HTTP/1.1", f"Host: {where.netloc}", "Expect: 100-continue", "Content-Length: 99"
            slow.sendall("\r\n".join([*head, "", ""]).encode())
            assert slow.recv(100).startswith(b"HTTP/1.1 100")
            slow.sendall(b"email=")
        yield


def _other(app: Flask) -> CheckedClient:
    """Somebody else's browser."""
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def _times_of_forms(log: Path) -> list[float]:
    """What the log says that each took, in milliseconds."""
    return [float(time) for time in re.findall(r"POST /brochure 303 ([0-9.]+)ms", log.read_text())]


def _are_all_waiting(sent: list[Future[tuple[int, str]]]) -> bool:
    return not any(each.done() for each in sent)


def test_forms_wait_for_the_database_while_pages_are_answered(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    bodies, log = _bodies(client, HALF), tmp_path / "log"
    # One thread that works for each kind of request: every form but one waits for its turn.
    small = environ | {"MICROSITE_THREADS": "1"}
    with started(small, workers=1, log=log) as server, ThreadPoolExecutor(HALF) as pool:
        with _submissions_held(environ):
            sent = [pool.submit(Visitor(server.site).post, "/brochure", body) for body in bodies]
            wait_until(
                lambda: f"{HALF} requests that write have had no answer for 5 s" in log.read_text(), "it is logged"
            )
            pages = [fetch(server.site, path)[0] for path in PAGES]
            assert _are_all_waiting(sent)
        statuses = [each.result()[0] for each in sent]
        wait_until(lambda: len(_times_of_forms(log)) == HALF, "each form has its line")

    # Whether it was at the database that they waited or for their turn.
    assert min(_times_of_forms(log)) >= 5000
    assert pages == [200] * len(PAGES)
    assert statuses == [303] * HALF
    assert len(export(app)) == HALF


def test_form_that_finds_half_of_the_threads_waiting_is_shown_again_filled_in(
    app: Flask, client: CheckedClient, environ: Environ
) -> None:
    bodies = _bodies(client, HALF + 3)
    small = environ | {"MICROSITE_THREADS": "1"}
    with started(small, workers=1) as server, ThreadPoolExecutor(len(bodies)) as pool:
        with _submissions_held(environ):
            sent = [pool.submit(Visitor(server.site).post, "/brochure", body) for body in bodies]
            wait_until(lambda: sum(each.done() for each in sent) == 3, "those that are too many have their answer")
            refused = [each.result() for each in sent if each.done()]
            assert fetch(server.site, "/")[0] == 200
        statuses = sorted(each.result()[0] for each in sent)

    for status, page in refused:
        assert status == 503
        assert "Vos réponses sont toujours là" in page
        assert "@exemple.fr" in page
    assert statuses == [303] * HALF + [503] * 3
    assert len(export(app)) == HALF


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_staff_sign_in_while_forms_wait(app: Flask, client: CheckedClient, environ: Environ) -> None:
    add_member(app, Role.ADMISSIONS)
    bodies = _bodies(client, 4)
    small = environ | {"MICROSITE_THREADS": "1"}
    with started(small, workers=1) as server, ThreadPoolExecutor(4) as pool:
        with _submissions_held(environ):
            sent = [pool.submit(Visitor(server.site).post, "/brochure", body) for body in bodies]
            assert _sign_in(client, server.site) == 303
            assert _are_all_waiting(sent)
        assert [each.result()[0] for each in sent] == [303] * 4


def _sign_in(client: CheckedClient, site: str) -> int:
    """Send the form that the client was shown to the served site; its status."""
    page = client.page("/admissions/connexion")
    answers = page.form("/admissions/connexion").filled(email=address(Role.ADMISSIONS), password=PASSWORD)
    cookie = page.response.headers["Set-Cookie"].partition(";")[0]
    connection = HTTPConnection(urlsplit(site).netloc, timeout=PATIENCE)
    with closing(connection):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        connection.request("POST", "/admissions/connexion", urlencode(answers), headers)
        return connection.getresponse().status


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_forms_that_come_slowly_keep_no_form_waiting(app: Flask, client: CheckedClient, environ: Environ) -> None:
    (body,) = _bodies(client, 1)
    small = environ | {"MICROSITE_THREADS": "1"}
    with started(small, workers=1) as server, _slow_forms(server.site, 8):
        assert Visitor(server.site).post("/brochure", body)[0] == 303


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_staff_open_pages_while_nothing_can_be_written(app: Flask, client: CheckedClient, environ: Environ) -> None:
    """Nobody waits to have it noted that they were here, nor for colleagues whose sign-in waits."""
    add_member(app, Role.ADMISSIONS)
    page = client.page("/admissions/connexion")
    cookie = enter(client, email=address(Role.ADMISSIONS)).response.headers["Set-Cookie"].partition(";")[0]
    with app.app_context(), writing():
        db.session.execute(update(StaffSession).values(seen_at=utc_now() - timedelta(minutes=30)))
    assert page.status == 200
    small = environ | {"MICROSITE_THREADS": "1"}
    with started(small, workers=1) as server, ThreadPoolExecutor(3) as pool:
        with _submissions_held(environ):
            sent = [pool.submit(_sign_in, _other(app), server.site) for _ in range(3)]
            seen = [
                fetch(server.site, path, {"Cookie": cookie})[0]
                for path in ("/admissions/", "/admissions/portes-ouvertes")
            ]
            assert [each.result() for each in sent if each.done()] == []
        assert [each.result() for each in sent] == [303] * 3

    assert seen == [200, 200]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_pages_do_not_wait_for_probes_and_downloads(app: Flask, client: CheckedClient, environ: Environ) -> None:
    thanks = client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))
    download = str(thanks.one("main a.button").attributes["href"])
    with started(environ, workers=1) as server, ThreadPoolExecutor(24) as pool, _submissions_held(environ):
        probes = [pool.submit(fetch, server.site, "/readyz") for _ in range(16)]
        downloads = [pool.submit(fetch, server.site, download) for _ in range(8)]
        assert fetch(server.site, "/brochure")[0] == 200
        assert {each.result()[0] for each in downloads} == {200}
        assert {each.result()[0] for each in probes} == {503}
