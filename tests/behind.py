"""A real nginx or Caddy before a real server, with the files of docs/deploy, stopped by its id."""

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from microsite.config import PROJECT_ROOT

from .served import free_port

HOST = "www.exemple.fr"
_DEPLOY = PROJECT_ROOT / "docs" / "deploy"


@dataclass(frozen=True, kw_only=True)
class Proxy:
    port: int
    context: ssl.SSLContext

    def connect(self) -> ssl.SSLSocket:
        """A connection to it; the name is asked of nobody."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return self.context.wrap_socket(raw, server_hostname=HOST)


@contextlib.contextmanager
def behind(name: str, site: str, folder: Path) -> Iterator[Proxy]:
    """`name` is nginx or caddy; its certificate, settings and temporary files lie in `folder`."""
    program = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if program is None:
        pytest.skip(f"no {name} here")
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    certificate.cert_chain_pems[0].write_to_path(folder / "fullchain.pem")
    certificate.private_key_pem.write_to_path(folder / "privkey.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    proxy = Proxy(port=free_port(), context=context)
    configure = {"nginx": _configure_nginx, "caddy": _configure_caddy}[name]
    process = subprocess.Popen(configure(program, site, proxy.port, folder), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not _is_listening(proxy.port) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield proxy
    finally:
        process.terminate()
        process.wait(30)


def _configure_nginx(program: str, site: str, port: int, folder: Path) -> list[str]:
    text = re.sub(r" *listen \[::\]:.*\n", "", (_DEPLOY / "nginx.conf").read_text())
    text = _replaced(
        text,
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/letsencrypt/live/www.exemple.fr", str(folder)),
        ("127.0.0.1:8000", site.removeprefix("http://")),
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    account = "user root;" if os.geteuid() == 0 else ""
    whole = folder / "nginx.conf"
    whole.write_text(
        f"{account} daemon off; pid {folder}/pid; error_log {folder}/error; events {{}} http {{ {temporary}\n{text}\n}}"
    )
    command = [program, "-p", str(folder), "-c", str(whole)]
    subprocess.run([*command, "-t", "-q"], check=True)
    return command


def _configure_caddy(program: str, site: str, port: int, folder: Path) -> list[str]:
    text = _replaced(
        (_DEPLOY / "Caddyfile").read_text(),
        (
            "www.exemple.fr {",
            f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/fullchain.pem {folder}/privkey.pem",
        ),
        ("127.0.0.1:8000", site.removeprefix("http://")),
    )
    whole = folder / "Caddyfile"
    # Nothing of it but what a visitor may reach: no administration, no other port.
    whole.write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}")
    command = [program, "run", "--adapter", "caddyfile", "--config", str(whole)]
    subprocess.run([program, "adapt", "--validate", *command[2:]], check=True, capture_output=True)
    return command


def _replaced(text: str, *pairs: tuple[str, str]) -> str:
    for written, here in pairs:
        assert written in text
        text = text.replace(written, here)
    return text


def _is_listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
