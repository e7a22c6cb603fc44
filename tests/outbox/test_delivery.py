"""A real SMTP server refuses, is slow, drops and is down: every mail arrives, none twice."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import time_machine
import trustme
from flask import Flask
from sqlalchemy import select

from microsite.db import db
from microsite.outbox import transports
from microsite.outbox.delivery import Outcome, deliver_next
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.worker import MAIL_RETRY_SECONDS, Worker

from ..answers import BROCHURE, only
from ..conftest import Environ
from ..engines import mostly_sqlite
from ..mail_server import MailServer, starttls
from ..page import CheckedClient
from ..served import free_port
from .conftest import make_smtp_app

MONDAY = datetime(2027, 1, 4, 9, tzinfo=UTC)
# Seconds that a step of the conversation is given, where the server is to be slower: more than any other step takes.
_TIME_OUT = 3


def _ask(client: CheckedClient, number: int = 0) -> None:
    form = client.page("/brochure").form("/brochure")
    client.follow(client.send(form, **BROCHURE | {"email": f"zoe{number}@exemple.fr"}))


def _deliver(app: Flask) -> Outcome:
    with app.app_context():
        return deliver_next()


def _hasty(make_app: Callable[..., Flask], environ: Environ, server: MailServer) -> Flask:
    return make_smtp_app(make_app, environ, server.port, MICROSITE_SMTP_TIMEOUT=str(_TIME_OUT))


def _mails(app: Flask) -> list[OutgoingMail]:
    with app.app_context():
        return list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def test_mail_is_delivered_once(smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer) -> None:
    _ask(smtp_client)

    assert [_deliver(smtp_app), _deliver(smtp_app)] == [Outcome.DONE, Outcome.NOTHING_DUE]

    message = only(mail_server.received)
    assert mail_server.recipients == ["zoe0@exemple.fr"]
    assert message["From"] == "ÉSEC <sender@ecole.example>"
    assert message["Reply-To"] == "reply-to@ecole.example"
    mail = only(_mails(smtp_app))
    assert (mail.status, mail.failure, mail.claimed_until) == (MailStatus.SENT, None, None)
    assert message["Message-ID"] == f"<{mail.key}@ecole.example>"


@pytest.mark.parametrize(
    "misbehave",
    [
        {"recipient_answer": "450 4.2.0 Greylisted, come back"},
        {"data_answer": "452 4.2.2 Mailbox full, try again later"},
        {"drops_mid_message": True},
        {"delay": 2.0 * _TIME_OUT},
    ],
    ids=["4xx to RCPT", "4xx to DATA", "drops mid-message", "slower than the time-out"],
)
@mostly_sqlite
def test_passing_trouble_is_tried_again_later(
    make_app: Callable[..., Flask],
    environ: Environ,
    smtp_app: Flask,
    smtp_client: CheckedClient,
    mail_server: MailServer,
    misbehave: dict[str, object],
) -> None:
    _ask(smtp_client)
    well = {name: getattr(mail_server, name) for name in misbehave}
    vars(mail_server).update(misbehave)

    assert _deliver(_hasty(make_app, environ, mail_server)) is Outcome.DEFERRED

    assert mail_server.received == []
    waiting = only(_mails(smtp_app))
    assert (waiting.status, waiting.attempts) == (MailStatus.PENDING, 1)
    assert waiting.due_at > waiting.decided_at + timedelta(seconds=40)
    assert _deliver(smtp_app) is Outcome.NOTHING_DUE
    vars(mail_server).update(well)
    with time_machine.travel(waiting.due_at, tick=True):
        assert _deliver(smtp_app) is Outcome.DONE
    assert mail_server.message_ids() == [f"<{waiting.key}@ecole.example>"]


def test_slow_server_within_the_time_out_takes_the_mail(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer
) -> None:
    _ask(smtp_client)
    mail_server.delay = 0.4

    assert _deliver(smtp_app) is Outcome.DONE

    assert len(mail_server.received) == 1


@mostly_sqlite
def test_mail_whose_acceptance_comes_after_the_time_out_is_delivered_once(
    make_app: Callable[..., Flask],
    environ: Environ,
    smtp_app: Flask,
    smtp_client: CheckedClient,
    mail_server: MailServer,
) -> None:
    _ask(smtp_client)
    mail_server.data_delay = _TIME_OUT + 1.0
    hasty = _hasty(make_app, environ, mail_server)

    assert [_deliver(hasty), _deliver(hasty)] == [Outcome.DONE, Outcome.NOTHING_DUE]

    assert len(mail_server.received) == 1
    assert only(_mails(smtp_app)).status is MailStatus.SENT


@pytest.mark.parametrize(
    "misbehave",
    [{"recipient_answer": "550 5.1.1 <zoe0@exemple.fr>: no such user"}, {"data_answer": "552 5.2.3 Too long"}],
    ids=["5xx to RCPT", "5xx to DATA"],
)
def test_permanent_refusal_is_not_retried_and_names_no_one(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, misbehave: dict[str, str]
) -> None:
    _ask(smtp_client)
    vars(mail_server).update(misbehave)

    assert _deliver(smtp_app) is Outcome.DONE

    dead = only(_mails(smtp_app))
    assert (dead.status, dead.attempts) == (MailStatus.DEAD, 1)
    assert dead.failure is not None
    assert dead.failure.startswith(next(iter(misbehave.values()))[:9])
    assert "zoe" not in dead.failure
    with time_machine.travel(dead.decided_at + timedelta(days=3), tick=True):
        assert _deliver(smtp_app) is Outcome.NOTHING_DUE


def test_server_down_for_an_hour_delays_every_mail_and_loses_none(
    make_app: Callable[..., Flask], environ: Environ
) -> None:
    app = make_smtp_app(make_app, environ, port := free_port())
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    worker = Worker(app)
    with time_machine.travel(MONDAY, tick=True) as clock:
        for number in range(5):
            _ask(client, number)
        tries = 0
        for _ in range(120):
            tries += worker.run("mails") == MAIL_RETRY_SECONDS
            clock.shift(timedelta(seconds=MAIL_RETRY_SECONDS))
        # At once, then after 1, 2, 5, 10 and 30 minutes: by one mail each time, and that counts against none.
        assert tries == 6
        assert {(mail.status, mail.attempts) for mail in _mails(app)} == {(MailStatus.PENDING, 0)}

        with MailServer(port=port) as server:
            for _ in range(60):
                worker.run("mails")
                clock.shift(timedelta(minutes=1))

    assert sorted(server.recipients) == [f"zoe{number}@exemple.fr" for number in range(5)]
    assert {mail.status for mail in _mails(app)} == {MailStatus.SENT}


def test_sender_that_is_not_welcome_kills_no_mail(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer
) -> None:
    _ask(smtp_client)
    mail_server.sender_answer = "550 5.7.1 Sender not allowed"

    assert _deliver(smtp_app) is Outcome.UNREACHABLE

    assert only(_mails(smtp_app)).status is MailStatus.PENDING


def test_mail_whose_recipient_is_never_ready_is_dead_after_two_days(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer
) -> None:
    mail_server.recipient_answer = "452 4.2.2 Mailbox full"
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client)
        delays = []
        while (mail := only(_mails(smtp_app))).status is MailStatus.PENDING:
            clock.move_to(mail.due_at)
            assert _deliver(smtp_app) is Outcome.DEFERRED
            delays.append(only(_mails(smtp_app)).due_at - mail.due_at)

    assert mail.status is MailStatus.DEAD
    assert timedelta(days=1) < sum(delays, timedelta()) < timedelta(days=3)
    # Each delay doubles, give or take a quarter each, until six hours.
    assert all(1.1 < after / before < 3.4 for before, after in pairwise(delays[:9]))
    assert all(timedelta(hours=4.5) <= delay <= timedelta(hours=7.5) for delay in delays[9:-1])


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_wrong_log_in_kills_no_mail(make_app: Callable[..., Flask], environ: Environ, tls: ssl.SSLContext) -> None:
    with MailServer(**starttls(tls)) as server:
        secrets = {"MICROSITE_SMTP_USER": "microsite", "MICROSITE_SMTP_PASSWORD": "wrong"}
        app = make_smtp_app(make_app, environ, server.port, MICROSITE_SMTP_SECURITY="starttls", **secrets)
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        _ask(client)

        assert _deliver(app) is Outcome.UNREACHABLE

    assert only(_mails(app)).status is MailStatus.PENDING
    assert "wrong" not in (only(_mails(app)).failure or "")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_starttls_and_log_in(make_app: Callable[..., Flask], environ: Environ, tls: ssl.SSLContext) -> None:
    with MailServer(**starttls(tls)) as server:
        secrets = {"MICROSITE_SMTP_USER": "microsite", "MICROSITE_SMTP_PASSWORD": "sesame"}
        app = make_smtp_app(make_app, environ, server.port, MICROSITE_SMTP_SECURITY="starttls", **secrets)
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        _ask(client)

        assert _deliver(app) is Outcome.DONE

    assert server.recipients == ["zoe0@exemple.fr"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_tls_from_the_first_byte(make_app: Callable[..., Flask], environ: Environ, tls: ssl.SSLContext) -> None:
    with MailServer(ssl_context=tls) as server:
        app = make_smtp_app(make_app, environ, server.port, MICROSITE_SMTP_SECURITY="tls")
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        _ask(client)

        assert _deliver(app) is Outcome.DONE

    assert server.recipients == ["zoe0@exemple.fr"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_server_without_the_right_certificate_gets_no_mail(
    make_app: Callable[..., Flask], environ: Environ, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with MailServer(tls_context=tls) as server:
        app = make_smtp_app(make_app, environ, server.port, MICROSITE_SMTP_SECURITY="starttls")
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        _ask(client)

        assert _deliver(app) is Outcome.UNREACHABLE

    assert "CERTIFICATE_VERIFY_FAILED" in (only(_mails(app)).failure or "")


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ssl.SSLContext:
    """The certificate of 127.0.0.1, from an authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_server_that_answers_a_byte_at_a_time_is_cut_off(
    make_app: Callable[..., Flask], environ: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "SENDING_LIMIT", 1)
    drops: list[int] = []
    with _dripping(drops) as port:
        app = make_smtp_app(make_app, environ, port)
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        _ask(client)

        outcome = _deliver(app)

    assert outcome is Outcome.UNREACHABLE or outcome is Outcome.DEFERRED
    assert len(drops) < _DROPS, "cut off in the middle"


# Bytes, each half a second after the one before.
_DROPS = 400


@contextmanager
def _dripping(drops: list[int]) -> Iterator[int]:
    """A server that greets at once, then answers everything byte by byte; `drops` counts them."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"220 hello\r\n")
                for number in range(_DROPS):
                    if done.wait(0.5):
                        return
                    try:
                        connection.sendall(b"2")
                        drops.append(number)
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listening.getsockname()[1])
        done.set()
        thread.join()
