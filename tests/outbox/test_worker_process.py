"""The worker in real processes: in the served site, killed at the worst moment, stopped in the middle, not in commands."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.config import PROJECT_ROOT
from microsite.db import db
from microsite.outbox.delivery import Outcome, deliver_next
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.services import LEASE
from microsite.web.context import utc_now
from microsite.worker import THREADS

from ..answers import BROCHURE, only
from ..conftest import Environ
from ..engines import mostly_sqlite
from ..mail_server import MailServer
from ..page import CheckedClient
from ..served import clean_environ, served
from ..waiting import PATIENCE, wait_until
from .conftest import make_smtp_app, smtp_settings


def _ask(client: CheckedClient, number: int = 0) -> None:
    form = client.page("/brochure").form("/brochure")
    client.follow(client.send(form, **BROCHURE | {"email": f"zoe{number}@exemple.fr"}))


def _statuses(app: Flask) -> list[MailStatus]:
    with app.app_context():
        return list(db.session.scalars(select(OutgoingMail.status)))


@contextmanager
def running(environ: Environ, server: MailServer) -> Iterator["subprocess.Popen[bytes]"]:
    """`outbox run` in a process of its own, from when it works."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "outbox", "run"],
        cwd=PROJECT_ROOT,
        env=clean_environ() | environ | smtp_settings(server.port),
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stderr is not None
        try:
            assert process.stderr.readline().decode().startswith("Envoi en cours")
            yield process
        finally:
            process.kill()


def test_worker_killed_between_sending_and_noting_sends_again_under_the_same_message_id(
    smtp_app: Flask, smtp_client: CheckedClient, environ: Environ, mail_server: MailServer
) -> None:
    _ask(smtp_client)
    mail_server.holds_quit = True
    with running(environ, mail_server) as process:
        assert mail_server.is_quitting.wait(PATIENCE)
        process.send_signal(signal.SIGKILL)
        process.wait()
    mail_server.holds_quit = False
    assert len(mail_server.received) == 1
    assert _statuses(smtp_app) == [MailStatus.PENDING]

    with smtp_app.app_context():
        assert deliver_next() is Outcome.NOTHING_DUE
        with time_machine.travel(utc_now() + LEASE + timedelta(seconds=1), tick=True):
            assert deliver_next() is Outcome.DONE
            assert deliver_next() is Outcome.NOTHING_DUE

    first, second = mail_server.message_ids()
    assert first == second
    assert _statuses(smtp_app) == [MailStatus.SENT]


@mostly_sqlite
def test_process_told_to_stop_ends_the_mail_in_hand(
    smtp_app: Flask, smtp_client: CheckedClient, environ: Environ, mail_server: MailServer
) -> None:
    _ask(smtp_client)
    mail_server.holds_quit = True
    with running(environ, mail_server) as process:
        assert mail_server.is_quitting.wait(PATIENCE)
        process.terminate()
        threading.Timer(0.3, setattr, [mail_server, "holds_quit", False]).start()

        assert process.wait(PATIENCE) == 0

    assert len(mail_server.received) == 1
    assert _statuses(smtp_app) == [MailStatus.SENT]


@mostly_sqlite
def test_process_told_twice_to_stop_does_not_wait_for_the_mail_in_hand(
    smtp_app: Flask, smtp_client: CheckedClient, environ: Environ, mail_server: MailServer
) -> None:
    _ask(smtp_client)
    mail_server.holds_quit = True
    with running(environ, mail_server) as process:
        assert mail_server.is_quitting.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)

        process.terminate()

        # Ended by the signal: had it waited for the server, it would have ended by itself, with 0.
        assert process.wait(PATIENCE) == -signal.SIGTERM
    mail_server.holds_quit = False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_process_told_to_stop_while_nothing_is_due_ends(
    smtp_app: Flask, environ: Environ, mail_server: MailServer, number: signal.Signals
) -> None:
    with running(environ, mail_server) as process:
        process.send_signal(number)

        assert process.wait(PATIENCE) == 0


@pytest.mark.slow
def test_two_processes_send_each_mail_once(
    smtp_app: Flask, smtp_client: CheckedClient, environ: Environ, mail_server: MailServer
) -> None:
    mail_server.delay = 0.1
    with running(environ, mail_server), running(environ, mail_server):
        for number in range(20):
            _ask(smtp_client, number)
        wait_until(lambda: set(_statuses(smtp_app)) == {MailStatus.SENT}, "every mail has left")

    assert sorted(mail_server.recipients) == sorted(f"zoe{number}@exemple.fr" for number in range(20))


@pytest.mark.slow
@mostly_sqlite
def test_served_site_sends_its_mails_and_ends_the_one_in_hand(
    smtp_app: Flask, smtp_client: CheckedClient, environ: Environ, mail_server: MailServer
) -> None:
    with served(environ | smtp_settings(mail_server.port)):
        _ask(smtp_client)
        wait_until(lambda: len(mail_server.received) == 1, "the mail has arrived")
        wait_until(lambda: set(_statuses(smtp_app)) == {MailStatus.SENT}, "every mail has left")
        mail_server.holds_quit = True
        mail_server.is_quitting.clear()
        _ask(smtp_client, 1)
        assert mail_server.is_quitting.wait(PATIENCE)
        threading.Timer(0.5, setattr, [mail_server, "holds_quit", False]).start()

    assert len(mail_server.received) == 2
    assert _statuses(smtp_app) == [MailStatus.SENT, MailStatus.SENT]


@pytest.mark.slow
@pytest.mark.parametrize("command", [["-"], ["-m", "flask", "shell"]], ids=["bare", "command"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_commands_and_the_bare_application_start_no_worker(
    smtp_app: Flask, smtp_client: CheckedClient, environ: Environ, mail_server: MailServer, command: list[str]
) -> None:
    """A mail is due for as long as a worker would need."""
    _ask(smtp_client)
    interval = THREADS["mails"][0].every
    program = f"import wsgi, threading, time; time.sleep({interval}); print([t.name for t in threading.enumerate()])\n"

    ran = subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT_ROOT,
        env=clean_environ() | environ | smtp_settings(mail_server.port) | {"PATH": os.environ["PATH"]},
        input=program.encode(),
        capture_output=True,
        check=True,
    )

    assert b"['MainThread']" in ran.stdout
    assert mail_server.received == []
    assert _statuses(smtp_app) == [MailStatus.PENDING]


def test_mail_that_left_is_noted_once_the_database_is_back(
    make_app: Callable[..., Flask],
    environ: Environ,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The database is held locked from the sending on, past a writer's patience."""
    monkeypatch.setattr("microsite.db.BUSY_TIMEOUT", 2)
    monkeypatch.setattr("microsite.outbox.delivery._NOTE_AGAIN", 0.1)
    app = make_smtp_app(make_app, environ, mail_server.port)
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    _ask(client)
    mail_server.holds_quit = True
    outcomes: list[Outcome] = []

    def deliver() -> None:
        with app.app_context():
            outcomes.append(deliver_next())

    thread = threading.Thread(target=deliver)
    thread.start()
    assert mail_server.is_quitting.wait(PATIENCE)
    with app.app_context():
        mail = only(list(db.session.scalars(select(OutgoingMail).with_for_update())))
        mail_server.holds_quit = False
        wait_until(lambda: "can't be noted" in caplog.text, "the note has been given up once")
        assert thread.is_alive()
        db.session.rollback()
        assert mail is not None
    thread.join(PATIENCE)

    assert outcomes == [Outcome.DONE]
    assert len(mail_server.received) == 1
    assert _statuses(app) == [MailStatus.SENT]
