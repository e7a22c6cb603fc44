"""`make fuzz`: 20,000 requests that nobody would send, most to the application, a share through a real granian.

Not part of `make test`, which has some hundred of them (web/test_fuzz.py). FUZZ_REQUESTS is how many in all, FUZZ_SEED
one that was printed.
"""

import contextlib
import http.client
import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from .conftest import Environ
from .fuzzing import Answer, Sent, faults, furnish, requests, send
from .served import Visitor, served

REQUESTS = int(os.environ.get("FUZZ_REQUESTS") or 20_000)
SEED = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(2**32))
# What X-Forwarded-For says is read, and counted beyond what is sent here.
PROXIED = {"MICROSITE_PROXIES": "1", "MICROSITE_FORM_RATE_LIMIT": "999999,0"}
# The share that goes through granian.
_SERVED = REQUESTS // 5
# Seconds that the server may take for one, and that we wait for the answer to a body that doesn't end.
_PATIENCE, _IMPATIENCE = 20, 1
# What tells granian where a body ends: wrong, the answer is its own, or none.
_FRAMING = frozenset({"Content-Length", "Transfer-Encoding", "Expect", "Host"})
_TURNED_AWAY = frozenset({400, 408, 411, 413, 414, 431, 501})


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


def test_application(make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(**PROXIED)
    caplog.set_level(logging.WARNING)

    def judge(sent: Sent) -> int:
        caplog.clear()
        answer = send(app, sent)
        assert faults(sent, answer) == []
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
        return answer.status

    _run(app, judge, REQUESTS - _SERVED, "l’application")


def test_served_by_granian(app: Flask, environ: Environ, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def judge(sent: Sent) -> int:
        answer = _send(site, sent)
        if answer is None:
            # Nothing is answered to what has no end.
            assert sent.headers.keys() & _FRAMING
            return 0
        is_servers_own = "Content-Security-Policy" not in answer.headers
        assert is_servers_own or faults(sent, answer) == []
        assert not is_servers_own or (answer.status in _TURNED_AWAY and answer.body == b""), answer
        return answer.status

    # Kept pages included.
    with served(environ | PROXIED | {"MICROSITE_PAGE_SECONDS": "60"}, workers=1, log=log) as site:
        _run(app, judge, _SERVED, "granian")
        assert Visitor(site).get("/healthz")[0] == 200

    told = log.read_text(errors="replace")
    assert "Traceback" not in told
    assert "panicked" not in told
    assert " ERROR " not in told


def _run(app: Flask, judge: Callable[[Sent], int], count: int, where: str) -> None:
    sendings, statuses, begun = requests(app, furnish(app)), Counter[int](), time.monotonic()
    click.echo(f"\n{count} requêtes à {where}, tirage {SEED} (les mêmes : make fuzz FUZZ_SEED={SEED})")

    @seed(SEED)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def fuzz(data: st.DataObject) -> None:
        statuses[judge(data.draw(sendings))] += 1
        if statuses.total() % 1000 == 0:
            click.echo(f"  {statuses.total()} en {time.monotonic() - begun:.0f} s")

    fuzz()
    told = ", ".join(f"{status or 'sans réponse'} : {times}" for status, times in sorted(statuses.items()))
    click.echo(f"{statuses.total()} requêtes à {where} en {time.monotonic() - begun:.0f} s ; {told}")


def _send(site: str, sent: Sent) -> Answer | None:
    """Byte by byte as it stands; None where the server hung up."""
    address = urlsplit(site)
    headers = {"Host": address.netloc, "Connection": "close", "Content-Length": str(len(sent.body))} | sent.headers
    lines = [f"{sent.method} {sent.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    raw = "\r\n".join(lines).encode("utf-8", errors="surrogatepass") + b"\r\n\r\n" + sent.body
    patience = _IMPATIENCE if sent.headers.keys() & _FRAMING else _PATIENCE
    with socket.create_connection((address.hostname or "", address.port or 80), timeout=patience) as connection:
        with contextlib.suppress(ConnectionError):
            # A server that has refused the head doesn't read the rest.
            connection.sendall(raw)
        answer = http.client.HTTPResponse(connection, method=sent.method)
        try:
            answer.begin()
            return Answer(status=answer.status, headers=Headers(answer.getheaders()), body=answer.read())
        except (http.client.HTTPException, ConnectionError, TimeoutError):
            return None
