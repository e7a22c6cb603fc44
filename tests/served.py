"""A real granian server, on a port of its own, stopped by its id."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from microsite.config import PROJECT_ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(
    environ: dict[str, str],
    *,
    workers: int = 2,
    options: tuple[str, ...] = (),
    log: Path | None = None,
    port: str = "",
    cwd: Path = PROJECT_ROOT,
) -> Iterator[str]:
    """The address of the site, served by `flask --app wsgi serve` as `make run` does it; `log` takes what it prints."""
    port = port or str(free_port())
    output = (log or Path(os.devnull)).open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", str(PROJECT_ROOT / "wsgi"), "serve", *options],
        cwd=cwd,
        env=clean_environ() | environ | {"PORT": port, "MICROSITE_WORKERS": str(workers)},
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    site = f"http://127.0.0.1:{port}"
    try:
        _wait_for(site, process)
        yield site
    finally:
        output.close()
        # The parent alone, which ends its workers.
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            # What was started here, nothing else; a server that doesn't end is a failure all the same.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def _wait_for(site: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"{site}/healthz", timeout=1).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{site} doesn't answer")


def clean_environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MICROSITE_", "DATABASE_URL"))}


class Visitor:
    """Fetches and posts over a real connection, without following redirects."""

    def __init__(self, site: str) -> None:
        self.site = site

    def get(self, path: str) -> tuple[int, str]:
        return self._open(urllib.request.Request(f"{self.site}{path}"))[:2]

    def post(self, path: str, body: bytes) -> tuple[int, str]:
        """Status and, for a redirect, where to."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = urllib.request.Request(f"{self.site}{path}", data=body, headers=headers)
        status, text, location = self._open(request)
        return status, location or text

    def _open(self, request: urllib.request.Request) -> tuple[int, str, str]:
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=30) as response:
                return response.status, response.read().decode(), ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers.get("Location", "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None
