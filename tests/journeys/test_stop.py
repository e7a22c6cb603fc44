"""A server told to stop (SIGTERM, as systemd does) ends what it has begun, and leaves nothing to wait for."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from microsite.campaigns.models import ViewCount
from microsite.db import db
from microsite.outbox.models import MailStatus, OutgoingMail

from ..answers import BROCHURE, complete_school, export, only
from ..conftest import Environ
from ..mail_server import MailServer
from ..outbox.conftest import smtp_settings
from ..page import CheckedClient
from ..served import Server, Visitor, fetch, started
from ..trouble import locked

# Seconds: what docs/deploy's unit gives a stop before it kills.
_STOP_WITHIN = 20


@contextmanager
def _writes_held(environ: Environ) -> Iterator[None]:
    if "DATABASE_URL" not in environ:
        with locked(Path(environ["MICROSITE_INSTANCE_PATH"])):
            yield
        return
    with psycopg.connect(environ["DATABASE_URL"]) as connection:
        connection.execute("LOCK TABLE submissions IN EXCLUSIVE MODE")
        yield


def _stop(server: Server) -> float:
    """Seconds that it took."""
    begun = time.monotonic()
    server.process.terminate()
    assert server.process.wait(_STOP_WITHIN) == 0
    return time.monotonic() - begun


def test_request_in_hand_is_answered_and_views_are_written_down(
    app: Flask, client: CheckedClient, environ: Environ
) -> None:
    body = urlencode(client.page("/brochure").form("/brochure").filled(**BROCHURE)).encode()
    with started(environ, workers=1) as server, ThreadPoolExecutor(1) as pool:
        fetch(server.site, "/", {"User-Agent": "Mozilla/5.0"})
        with _writes_held(environ):
            posting = pool.submit(Visitor(server.site).post, "/brochure", body)
            time.sleep(1)
            threading.Timer(1, server.process.terminate).start()
            time.sleep(2)
        assert posting.result()[0] == 303
        assert server.process.wait(_STOP_WITHIN) == 0

    assert only(export(app))["email"] == BROCHURE["email"]
    with app.app_context():
        assert db.session.scalar(select(func.sum(ViewCount.count))) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mail_that_has_not_left_is_given_back_and_another_server_sends_it(
    app: Flask, client: CheckedClient, environ: Environ
) -> None:
    """The first one's mail server is asked to take a mail, and doesn't answer."""
    complete_school(Path(app.instance_path))
    with MailServer() as silent, MailServer() as quick:
        silent.delay = 60
        patient = {"MICROSITE_SMTP_TIMEOUT": "60"}
        with started(environ | smtp_settings(silent.port) | patient, workers=1) as server:
            client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))
            _wait_until(lambda: _mail(app).claimed_until is not None)
            assert _stop(server) < _STOP_WITHIN
        mail = _mail(app)
        assert (mail.status, mail.claimed_until, mail.attempts) == (MailStatus.PENDING, None, 0)
        with started(environ | smtp_settings(quick.port), workers=1):
            _wait_until(lambda: _mail(app).status is MailStatus.SENT)
        assert silent.received == []
        assert len([name for name in quick.message_ids() if ".brochure." in name]) == 1


def _mail(app: Flask) -> OutgoingMail:
    with app.app_context():
        mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.template == "brochure")).one()
        db.session.expunge_all()
        return mail


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
