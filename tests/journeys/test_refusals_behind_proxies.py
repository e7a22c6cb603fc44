"""What we refuse before its body is read arrives whole through a real nginx and a real Caddy, and spoils no other form."""

import http.client
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from microsite.backoffice.models import Role

from ..answers import BROCHURE, export
from ..backoffice.conftest import add_member, address, enter
from ..behind import HOST, Proxy, behind
from ..conftest import Environ
from ..page import CheckedClient
from ..served import served

KB, MB = 1000, 1_000_000
PUBLIC = {"MICROSITE_PUBLIC_URL": f"https://{HOST}", "MICROSITE_PROXIES": "1"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Refused:
    path: str
    status: int
    method: str = "POST"
    origin: str = f"https://{HOST}"


CASES = {
    "too large for a form": Refused(path="/brochure", status=413),
    "no form at this address": Refused(path="/mentions-legales", status=405),
    "other method": Refused(path="/candidater", status=405, method="PUT"),
    "sent from another site": Refused(path="/portes-ouvertes", status=403, origin="https://ailleurs.example"),
    "not this role's": Refused(path="/admissions/equipe", status=403),
    "not signed in": Refused(path="/admissions/brochure", status=303),
    "nothing there": Refused(path="/nulle-part", status=404),
}


@contextmanager
def _others_send_forms(proxy: Proxy, answers: dict[str, str], path: str) -> Iterator[list[int]]:
    """Four visitors, each on a kept connection of their own, one form after the other."""
    statuses: list[int] = []
    numbers, done = itertools.count(), threading.Event()

    def send() -> None:
        connection = _connection(proxy)
        with closing(connection):
            while not done.is_set():
                body = urlencode(answers | {"email": f"zoe{next(numbers)}@exemple.fr"})
                statuses.append(_ask(connection, "POST", path, body.encode()))

    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(send) for _ in range(4)]
        try:
            yield statuses
        finally:
            done.set()
    for each in sending:
        each.result()


@pytest.mark.slow
@pytest.mark.parametrize("proxy_name", ["nginx", "caddy"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_refusal_arrives_while_others_send_forms(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path, proxy_name: str
) -> None:
    answers = client.page("/brochure").form("/brochure").filled(**BROCHURE)
    add_member(app, Role.MARKETING)
    session = str(enter(client, email=address(Role.MARKETING)).response.headers["Set-Cookie"]).partition(";")[0]
    # Its name over HTTPS (backoffice/access.py).
    cookie = f"__Secure-{session}"
    with served(environ | PUBLIC) as site, behind(proxy_name, site, tmp_path) as proxy:

        def refuse(sent: tuple[Refused, int, str]) -> int:
            with closing(_connection(proxy)) as connection:
                refused, size, cookie = sent
                return _ask(connection, refused.method, refused.path, bytes(size), origin=refused.origin, cookie=cookie)

        sent = [
            (refused, size, cookie if name == "not this role's" else "")
            for name, refused in CASES.items()
            for size in (200 * KB, 3 * MB, 5 * MB)
        ] * 2
        with _others_send_forms(proxy, answers, "/brochure") as others, ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(refuse, sent))

    assert [(one[0].path, one[1], status) for one, status in zip(sent, statuses, strict=True)] == [
        (one[0].path, one[1], one[0].status) for one in sent
    ]
    assert Counter(others) == {303: len(others)}
    assert len(others) == len(export(app)) > 0


def _connection(proxy: Proxy) -> http.client.HTTPSConnection:
    connection = http.client.HTTPSConnection(HOST, proxy.port)
    connection.sock = proxy.connect()
    return connection


def _ask(
    connection: http.client.HTTPSConnection,
    method: str,
    path: str,
    body: bytes | Iterator[bytes],
    *,
    origin: str = "",
    cookie: str = "",
) -> int:
    headers = {"Host": HOST, "Content-Type": FORM, "Origin": origin or f"https://{HOST}", "Cookie": cookie}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.mark.parametrize(("proxy_name", "status"), [("nginx", 303), ("caddy", 411)])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_form_sent_in_chunks_is_kept_where_the_proxy_announces_its_length(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path, proxy_name: str, status: int
) -> None:
    answers = client.page("/brochure").form("/brochure").filled(**BROCHURE)
    with served(environ | PUBLIC, workers=1) as site, behind(proxy_name, site, tmp_path) as proxy:
        for number, size in enumerate((10, 100, 10_000)):
            body = urlencode(answers | {"email": f"zoe{number}@exemple.fr"}).encode()
            with closing(_connection(proxy)) as connection:
                chunks = [body[at : at + size] for at in range(0, len(body), size)]
                assert _ask(connection, "POST", "/brochure", iter(chunks)) == status

    assert len(export(app)) == (3 if status == 303 else 0)
