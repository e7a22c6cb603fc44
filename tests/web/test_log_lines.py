"""Log lines: the request they belong to, in text or JSON, and nobody's data, whatever fails."""

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text, update

from microsite.backoffice.models import Role
from microsite.config import PROJECT_ROOT
from microsite.db import db, writing
from microsite.leads.models import Submission
from microsite.outbox.answers import Deferred
from microsite.web import log_lines
from microsite.web.errors import last_resort
from microsite.web.log_lines import LineHandler
from microsite.worker import Worker

from ..answers import BROCHURE
from ..backoffice.conftest import add_member, address, enter
from ..conftest import Environ
from ..page import CheckedClient, Page
from ..privacy.owners import ask_brochure
from ..served import Visitor, fetch, started
from ..waiting import PATIENCE, wait_until

SECRETS = re.compile(r"zoe|lefèvre|exemple\.fr|612345678", re.IGNORECASE)
FAULT = "Zoé Lefèvre <zoe@exemple.fr>, 0612345678"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """One of the test's own, which breaks."""
    return make_app()


@pytest.fixture
def lines(app: Flask) -> Iterator[io.StringIO]:
    """What the process logs from here on."""
    handler = next(one for one in logging.getLogger().handlers if isinstance(one, LineHandler))
    stream = io.StringIO()
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before or stream)


def _fail(kind: str) -> str:
    email, phone = "zoe@exemple.fr", "0612345678"
    if kind == "database":
        values = {"email": email, "phone": phone}
        db.session.execute(text("INSERT INTO leads (email_key, first_name) VALUES (:email, :phone)"), values)
    if kind == "chain":
        try:
            int(email)
        except ValueError as error:
            raise KeyError(phone) from error
    raise RuntimeError(FAULT)


def test_faults_are_told_without_what_they_say(make_app: Callable[..., Flask], app: Flask, lines: io.StringIO) -> None:
    for log_format in ("text", "json"):
        failing = make_app(MICROSITE_LOG_FORMAT=log_format)
        failing.add_url_rule("/fail/<kind>", view_func=_fail, methods=["POST"])
        for kind, status in (("database", 503), ("chain", 500), ("fault", 500)):
            assert failing.test_client().post(f"/fail/{kind}").status_code == status

    told = lines.getvalue()
    assert not SECRETS.search(told)
    written_as_text, _, written_as_json = told.partition("{")
    for expected in ("IntegrityError", "builtins.ValueError", "which led to", "builtins.KeyError", "in _fail"):
        assert expected in written_as_text
        assert expected in written_as_json
    assert [line for line in told.splitlines() if line.startswith("{") and not json.loads(line)["request"]] == []


def test_mails_and_the_worker_fail_without_anybodys_data(app: Flask, client: CheckedClient, lines: io.StringIO) -> None:
    class Failing:
        def send(self, message: EmailMessage) -> None:
            raise failures.pop()

    failures: list[Exception] = [RuntimeError(FAULT), Deferred(f"450 {FAULT.partition(',')[2]} busy")]
    for number in range(len(failures)):
        ask_brochure(client, email=f"zoe{number}@exemple.fr")
    app.extensions["outbox"].transport = Failing()
    worker = Worker(app)
    worker.run("mails")
    app.extensions["outbox"].transport = None
    logging.getLogger("some.library").warning("mail for %s", "zoe@exemple.fr")

    told = lines.getvalue()
    assert "can't be written: RuntimeError" in told
    assert "mail for …@…" in told
    assert not re.search(r"zoe|lefèvre|exemple\.fr", told, re.IGNORECASE)


def test_export_that_fails_is_logged_without_anybodys_data(
    app: Flask, client: CheckedClient, lines: io.StringIO
) -> None:
    ask_brochure(client)
    with app.app_context(), writing():
        db.session.execute(update(Submission).values(answers={"birth_date": FAULT}))
    add_member(app, Role.ADMISSIONS)
    staff = app.test_client()
    assert isinstance(staff, CheckedClient)
    enter(staff, email=address(Role.ADMISSIONS))

    form = staff.page("/admissions/exports").form("/admissions/exports")
    assert staff.post("/admissions/exports", data=form.filled(sorte="demandes")).status_code == 500

    told = lines.getvalue()
    assert "ValueError" in told
    assert not re.search(r"zoe|lefèvre|exemple\.fr", told, re.IGNORECASE)


def test_incident_has_one_reference_in_answer_page_and_log(
    make_app: Callable[..., Flask], app: Flask, lines: io.StringIO
) -> None:
    app.add_url_rule("/fail/<kind>", view_func=_fail, methods=["POST"])

    answer = app.test_client().post("/fail/chain")

    page, reference = Page(answer), answer.headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{16}", reference)
    assert f"Référence de l’incident, si vous nous en parlez : {reference}" in " ".join(page.text.split())
    found = [line for line in lines.getvalue().splitlines() if f"[{reference}]" in line]
    assert [line.split("] ")[1].split(" on ")[0].split(" 5")[0] for line in found] == [
        "unexpected error",
        "POST /fail/<kind>",
    ]


def test_request_id_is_taken_from_a_proxy_alone(make_app: Callable[..., Flask]) -> None:
    for proxies, given, is_taken in (
        ("0", "abcdef-123", False),
        ("1", "abcdef-123", True),
        ("1", "short", False),
        ("1", "a" * 65, False),
        ("1", "zoe@exemple.fr", False),
        ("1", "id with spaces", False),
        ("1", "abcdef\tERROR", False),
    ):
        app = make_app(MICROSITE_PROXIES=proxies)
        told = app.test_client().get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
        assert (told == given) is is_taken, (proxies, given)


def test_what_fails_outside_of_every_page_is_told_by_its_kind(lines: io.StringIO) -> None:
    def fail(_environ: object, _start_response: object) -> list[bytes]:
        raise RuntimeError(FAULT)

    statuses: list[str] = []
    body = last_resort(fail)({}, lambda status, *_rest: statuses.append(status))  # type: ignore[arg-type]

    assert statuses == ["500 Internal Server Error"]
    assert "Un problème de notre côté" in b"".join(body).decode()
    assert "RuntimeError" in lines.getvalue()
    assert not SECRETS.search(lines.getvalue())


def _gathering() -> tuple[io.StringIO, LineHandler, Callable[..., None]]:
    """What is written, the handler that has begun to gather, and how to log a line."""
    stream = io.StringIO()
    handler = LineHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.gather()

    def log(message: str, level: int = logging.INFO) -> None:
        handler.handle(logging.LogRecord("microsite", level, __file__, 0, message, None, None))

    return stream, handler, log


def test_gathered_lines_wait_and_warnings_take_them_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "_GATHERED", 3600)
    stream, handler, log = _gathering()
    for message in ("one", "two"):
        log(message)
    assert stream.getvalue() == ""
    log("three", logging.WARNING)
    assert stream.getvalue() == "one\ntwo\nthree\n"

    log("four")
    assert stream.getvalue().endswith("three\n")
    handler.stop_gathering()
    assert stream.getvalue().endswith("three\nfour\n")
    log("five")
    assert stream.getvalue().endswith("four\nfive\n")


def test_gathered_lines_are_written_by_themselves() -> None:
    stream, handler, log = _gathering()
    log("one")
    wait_until(lambda: stream.getvalue() == "one\n", "the first is written")
    log("two")
    wait_until(lambda: stream.getvalue() == "one\ntwo\n", "the second is written")
    handler.stop_gathering()


_TALK = """
import logging, sys, time
from microsite.web import log_lines
from microsite.web.log_lines import LineHandler, _unbuffered_errors
log_lines._PATIENCE = 600
handler = LineHandler(_unbuffered_errors())
handler.setFormatter(logging.Formatter("%(message)s"))
handler.gather()
for number in range(4000):
    text = f"{sys.argv[1]} {number} " + "é" * (number % 200)
    handler.handle(logging.LogRecord("microsite", logging.INFO, "", 0, text, None, None))
handler.stop_gathering()
"""


def test_lines_of_two_processes_reach_a_slow_reader_whole_and_none_is_lost() -> None:
    reader, writer = os.pipe()
    talking = [subprocess.Popen([sys.executable, "-c", _TALK, name], cwd=PROJECT_ROOT, stderr=writer) for name in "ab"]
    os.close(writer)
    told = b""
    while piece := os.read(reader, 4096):
        told += piece
        time.sleep(0.0005)
    os.close(reader)

    assert [process.wait() for process in talking] == [0, 0]
    expected = [f"{name} {number} " + "é" * (number % 200) for name in "ab" for number in range(4000)]
    assert sorted(told.decode().splitlines()) == sorted(expected)


def test_more_lines_than_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "_GATHERED", 60)
    stream = io.StringIO()
    handler = LineHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.gather()

    for number in range(5001):
        handler.handle(logging.LogRecord("microsite", logging.INFO, "", 0, str(number), None, None))

    assert stream.getvalue().split() == [str(number) for number in range(5001)]


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_served_site_logs_json_and_so_does_the_server(environ: Environ, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started(environ | {"MICROSITE_LOG_FORMAT": "json"}, workers=1, log=log) as server:
        visitor = Visitor(server.site)
        visitor.send(visitor.page("/brochure").form("/brochure"), **BROCHURE)
        fetch(server.site, "/zoe@exemple.fr")
        # Killed, a process writes nothing more of what waits.
        wait_until(lambda: "GET - 404" in log.read_text(), "the request is told")
        worker = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True)
        for pid in worker.stdout.split():
            subprocess.run(["kill", "-SEGV", pid], check=False)
        wait_until(lambda: '"server"' in log.read_text(), "the server tells of its worker")
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(PATIENCE)

    told = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert {"POST /brochure 303", "GET - 404"} <= {line["message"].rpartition(" ")[0] for line in told}
    assert {line["logger"].partition(".")[0] for line in told} == {"microsite", "server"}
    assert all(line["time"] and line["level"] for line in told)
    assert "/healthz" not in log.read_text()
    assert not re.search("zoe|lefèvre", log.read_text(), re.IGNORECASE)
