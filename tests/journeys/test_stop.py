"""A server told to stop (SIGTERM, as systemd does) ends what it has begun, and leaves nothing to wait for."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

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
from ..served import Server, fetch, started
from ..trouble import locked
from ..waiting import PATIENCE, wait_until

# Seconds: what docs/deploy's unit gives a stop before it kills (TimeoutStopSec).
_STOP_WITHIN = 30
# Connections that wait at once: enough for each worker to have some, if each had a queue of its own.
_WAITING = 20


@contextmanager
def _writes_held(environ: Environ) -> Iterator[None]:
    if "DATABASE_URL" not in environ:
        with locked(Path(environ["MICROSITE_INSTANCE_PATH"])):
            yield
        return
    with psycopg.connect(environ["DATABASE_URL"]) as connection:
        connection.execute("LOCK TABLE submissions IN EXCLUSIVE MODE")
        yield


def test_request_in_hand_is_answered_and_views_are_written_down(
    app: Flask, client: CheckedClient, environ: Environ
) -> None:
    body = urlencode(client.page("/brochure").form("/brochure").filled(**BROCHURE)).encode()
    with started(environ, workers=1) as server:
        fetch(server.site, "/", {"User-Agent": "Mozilla/5.0"})
        with _writes_held(environ):
            posting = _posting(server, body)
            server.process.terminate()
            wait_until(lambda: not _takes_connections(server), "the server has begun to stop")
        assert posting.getresponse().status == 303
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
            wait_until(lambda: _mail(app).claimed_until is not None, "a worker has the mail in hand")
            server.process.terminate()
            assert server.process.wait(_STOP_WITHIN) == 0
        mail = _mail(app)
        assert (mail.status, mail.claimed_until, mail.attempts) == (MailStatus.PENDING, None, 0)
        with started(environ | smtp_settings(quick.port), workers=1):
            wait_until(lambda: _mail(app).status is MailStatus.SENT, "the mail has left")
        assert silent.received == []
        assert len([name for name in quick.message_ids() if ".brochure." in name]) == 1


def _posting(server: Server, body: bytes) -> HTTPConnection:
    """A form on its way, which the site has begun to read (RFC 9110, 10.1.1)."""
    connection = HTTPConnection(urlsplit(server.site).netloc, timeout=_STOP_WITHIN)
    connection.putrequest("POST", "/brochure")
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(1024).startswith(b"HTTP/1.1 100")
    connection.send(body)
    return connection


def _takes_connections(server: Server) -> bool:
    where = urlsplit(server.site)
    try:
        socket.create_connection((where.hostname or "", where.port or 80)).close()
    except ConnectionError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_connections_that_wait_for_a_worker_which_dies_are_answered_by_another(environ: Environ, workers: int) -> None:
    """By the one that takes its place, where it was the only one."""
    with started(environ, workers=workers) as server, ExitStack() as stack:
        stopped = server.workers()
        for worker in stopped:
            os.kill(worker, signal.SIGSTOP)
        # A thread that still ran would take a connection, which then dies with it.
        wait_until(lambda: all(map(_is_stopped, stopped)), "every thread has stopped")
        waiting = [stack.enter_context(closing(_asking(server))) for _ in range(_WAITING)]

        server.kill_one(stopped[0])
        for worker in stopped[1:]:
            os.kill(worker, signal.SIGCONT)

        assert [connection.getresponse().status for connection in waiting] == [200] * _WAITING


def _is_stopped(process_id: int) -> bool:
    states = [path.read_text() for path in Path(f"/proc/{process_id}/task").glob("*/status")]
    return all("\nState:\tT" in state for state in states)


def _asking(server: Server) -> HTTPConnection:
    connection = HTTPConnection(urlsplit(server.site).netloc, timeout=2 * PATIENCE)
    connection.request("GET", "/brochure")
    return connection


def _mail(app: Flask) -> OutgoingMail:
    with app.app_context():
        mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.template == "brochure")).one()
        db.session.expunge_all()
        return mail
