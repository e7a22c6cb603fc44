"""A real granian server, on a port of its own, stopped by its id."""

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse

from microsite.cli.serve import SERVER_ENVIRON, granian_command
from microsite.config import PROJECT_ROOT, load_settings

from .page import Form, Page, inspect
from .waiting import PATIENCE, wait_until

# Seconds: two hundred visitors at once, on two cores that other tests use too, wait for each other.
_PATIENCE = 60
# Below the ports that the system gives to connections (ip_local_port_range): none of them takes one meanwhile.
_PORTS = range(10_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on, drawn so that tests which run at the same time draw different ones."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True, kw_only=True)
class Server:
    site: str
    process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        """kill -9 of the parent and of all its workers at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def workers(self) -> list[int]:
        """The processes that serve, by their ids."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in children.read_text().split()]

    def kill_one(self, process_id: int) -> None:
        """kill -9 of one of its processes, and of no other."""
        os.kill(process_id, signal.SIGKILL)


@contextlib.contextmanager
def served(environ: dict[str, str], *, workers: int = 2, **how: Any) -> Iterator[str]:
    """The address of the site, for those who only visit it."""
    with started(environ, workers=workers, **how) as server:
        yield server.site


@contextlib.contextmanager
def started(
    environ: dict[str, str],
    *,
    workers: int = 2,
    options: tuple[str, ...] | None = None,
    log: Path | None = None,
    port: str = "",
    cwd: Path = PROJECT_ROOT,
) -> Iterator[Server]:
    """A server; `log` takes what it prints.

    With `options` it is `flask serve` as `make run` has it; without, what that becomes once the database
    is up to date, as the tests' are.
    """
    port = port or str(free_port())
    environ = environ | {"PORT": port, "MICROSITE_WORKERS": str(workers)}
    output = (log or Path(os.devnull)).open("wb")
    serve = [sys.executable, "-m", "flask", "--app", str(PROJECT_ROOT / "wsgi"), "serve"]
    process = subprocess.Popen(
        granian_command(load_settings(environ)) if options is None else [*serve, *options],
        cwd=cwd,
        env=clean_environ() | SERVER_ENVIRON | environ,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    site = f"http://127.0.0.1:{port}"
    try:
        _wait_for(site, process)
        yield Server(site=site, process=process)
    finally:
        output.close()
        # The parent alone, which ends its workers.
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
            # A worker that is left would go on in the folder that the next test works in.
            wait_until(lambda: not _is_any_left(process.pid), "every process of the server has ended")
        finally:
            # What was started here, nothing else; a server that doesn't end is a failure all the same.
            if _is_any_left(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _is_any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for(site: str, process: "subprocess.Popen[bytes]") -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"{site}/healthz", timeout=PATIENCE).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    # Two programs start, one after the other.
    wait_until(answers, f"{site} answers", patience=2 * PATIENCE)


def clean_environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MICROSITE_", "DATABASE_URL"))}


def fetch(
    site: str, path: str, headers: dict[str, str] | None = None, *, method: str = "GET"
) -> tuple[int, Headers, bytes]:
    """Status, headers and bytes as they came."""
    connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=_PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, Headers(answer.getheaders()), answer.read()


class Visitor:
    """Fetches and posts over a real connection, without following redirects."""

    def __init__(self, site: str) -> None:
        self.site = site

    def get(self, path: str) -> tuple[int, str]:
        return self._open(path)[:2]

    def post(self, path: str, body: bytes) -> tuple[int, str]:
        """Status and, for a redirect, where to."""
        status, text, headers = self._open(path, body)
        return status, headers.get("Location", text)

    def page(self, path: str) -> Page:
        return self._inspected(path)

    def send(self, form: Form, **answers: str | None) -> Page:
        """Press the button; the page that comes back, redirects not followed."""
        return self._inspected(form.action, urlencode(form.filled(**answers)).encode())

    def _inspected(self, path: str, body: bytes | None = None) -> Page:
        status, text, headers = self._open(path, body)
        request = EnvironBuilder(path).get_request()
        page = Page(TestResponse([text.encode()], str(status), headers, request))
        if status != 303:
            inspect(page)
        return page

    def _open(self, path: str, body: bytes | None = None) -> tuple[int, str, Headers]:
        # With a body urllib posts it as a browser's form.
        request = urllib.request.Request(f"{self.site}{path}", data=body)
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=_PATIENCE) as response:
                return response.status, response.read().decode(), Headers(response.headers.items())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), Headers(error.headers.items())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None
