"""/readyz is for supervision: through the proxies of docs/deploy, nobody else gets it, however they write it."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.config import PROJECT_ROOT

from .conftest import Environ
from .served import free_port, started

DEPLOY = PROJECT_ROOT / "docs" / "deploy"
WRITTEN = (
    "/readyz", "/readyz/", "/readyz//", "/readyz%2f", "/readyz%2F", "//readyz", "/./readyz", "/x/../readyz", "/%72eadyz", "/READYZ", "/Readyz/",
    "/readyz;x", "/readyz.", "/readyz%20", "/readyz%3Fa", "/readyz?a", "/readyz&utm_source=x", "/readyz%00", "//readyz/", "/%2freadyz", "/%2Freadyz", "///readyz",
)  # fmt: skip


# What granian doesn't tell from the address itself: it decodes a path before we get it.
OF_GRANIAN = ("/readyz", "/readyz?a", "/%72eadyz")


@pytest.fixture(scope="module")
def site_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    environ = {
        "MICROSITE_INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")),
        "MICROSITE_PUBLIC_URL": "https://www.exemple.fr",
    }
    with started(environ, workers=1, options=()) as server:
        yield int(server.site.rpartition(":")[2])


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


def _program(name: str) -> str:
    path = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if path is None:
        pytest.skip(f"no {name} here")
    return path


@contextlib.contextmanager
def _running(command: list[str], port: int, environ: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, env=os.environ | environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=5):
                break
            assert process.poll() is None, "the proxy ended"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _nginx(site: str, folder: Path, *, is_supervisor: bool) -> contextlib.AbstractContextManager[int]:
    """The document's file without TLS; for who isn't this machine unless `is_supervisor`."""
    port, other = free_port(), free_port()
    text = re.sub(r" *(?:ssl_\w+|listen \[::\]).*\n", "", (DEPLOY / "nginx.conf").read_text())
    text = text.replace("listen 80;", f"listen 127.0.0.1:{other};").replace(
        "127.0.0.1:8000", site.removeprefix("http://")
    )
    text = re.sub(r"listen 443 ssl.*;", f"listen 127.0.0.1:{port};", text)
    if not is_supervisor:
        text = text.replace("allow 127.0.0.1;", "allow 192.0.2.1;")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    account = "user root;" if os.geteuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(
        f"{account} daemon off; pid {folder}/pid; error_log {folder}/error; events {{}} http {{ {temporary}\n{text}\n}}"
    )
    return _running([_program("nginx"), "-p", str(folder), "-c", str(path)], port, {})


def _caddy(site: str, folder: Path, *, is_supervisor: bool) -> contextlib.AbstractContextManager[int]:
    """The same of Caddy's file."""
    port = free_port()
    text = (DEPLOY / "Caddyfile").read_text().replace("127.0.0.1:8000", site.removeprefix("http://"))
    text = text.replace("www.exemple.fr {", f"http://www.exemple.fr:{port} {{\n\tbind 127.0.0.1")
    # Not every version of Caddy knows it, and it has no part in this.
    text = re.sub(r"\t+request_buffers .*\n", "", text)
    if not is_supervisor:
        text = text.replace("remote_ip 127.0.0.1 ::1", "remote_ip 192.0.2.1")
    path = folder / "Caddyfile"
    path.write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}")
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return _running([_program("caddy"), "run", "--config", str(path), "--adapter", "caddyfile"], port, home)


def _status(port: int, target: str) -> tuple[int, bytes]:
    """Byte by byte as it stands, for clients would tidy it."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: www.exemple.fr\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(None, 2)[1]), answer


@pytest.mark.parametrize("target", [target for target in WRITTEN if target not in OF_GRANIAN])
def test_server_itself_gives_it_at_one_address(site_port: int, target: str) -> None:
    status, answer = _status(site_port, target)

    assert status in (400, 404)
    assert b'"database"' not in answer


@pytest.mark.parametrize("proxy", [_nginx, _caddy])
def test_supervision_s_address_is_kept_from_visitors(environ: Environ, tmp_path: Path, proxy: object) -> None:
    public = {"MICROSITE_PUBLIC_URL": "https://www.exemple.fr", "MICROSITE_PROXIES": "1"}
    with started(environ | public, workers=1) as server:
        with proxy(server.site, tmp_path, is_supervisor=False) as port:  # type: ignore[operator]
            for target in WRITTEN:
                status, answer = _status(port, target)
                assert status in (400, 403, 404), target
                assert b'"database"' not in answer, target
            assert _status(port, "/brochure")[0] == 200
            assert _status(port, "/healthz")[0] == 200
        with proxy(server.site, tmp_path, is_supervisor=True) as port:  # type: ignore[operator]
            assert _status(port, "/readyz")[0] == 200
