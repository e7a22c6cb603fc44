"""What is tried on every site: redirects elsewhere, names that aren't ours, poisoned caches, odd paths and methods."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from microsite import create_app
from microsite.backoffice.models import Role

from .. import fuzzing
from ..answers import BROCHURE, export
from ..backoffice.conftest import PASSWORD, add_member, address, enter
from ..page import CheckedClient
from ..served import Server, Visitor, started
from ..waiting import PATIENCE
from .test_pages import PAGES

EVIL = "mal.example"
ELSEWHERE = (
    f"//{EVIL}", f"///{EVIL}", f"////{EVIL}", f"/\\{EVIL}", f"\\\\{EVIL}", f"https:{EVIL}", f"https:/{EVIL}", f"https://{EVIL}",
    f"HTTPS://{EVIL}", f"//{EVIL}/admissions/", f"/admissions/..//{EVIL}", f"/admissions//{EVIL}", f"/admissions/\\{EVIL}",
    f"/%2f%2f{EVIL}", f"%2f%2f{EVIL}", f"/%5c{EVIL}", f"/\t/{EVIL}", f"/admissions/\n//{EVIL}", f"\x00//{EVIL}", f" //{EVIL}",
    f"javascript:alert(1)//{EVIL}", f"data:text/html,{EVIL}", f"//localhost@{EVIL}", f"//localhost:80@{EVIL}", f"@{EVIL}", f".{EVIL}",
    f"//{EVIL}%E3%80%82com", f"／／{EVIL}", f"/admissions/%0d%0aLocation:%20//{EVIL}", "//[", "https://[::1",
)  # fmt: skip
# What a cache doesn't tell requests apart by.
UNKEYED = (
    {"X-Forwarded-Host": EVIL}, {"X-Forwarded-Proto": "https"}, {"X-Forwarded-For": "1.2.3.4"}, {"X-Forwarded-Prefix": f"/{EVIL}"},
    {"X-Forwarded-Port": "1"}, {"X-Original-URL": f"/{EVIL}"}, {"X-Rewrite-URL": f"/{EVIL}"}, {"Forwarded": f"host={EVIL}"},
    {"X-HTTP-Method-Override": "POST"}, {"X-Host": EVIL}, {"X-Forwarded-Server": EVIL}, {"X-HTTP-Host-Override": EVIL},
    {"Origin": f"https://{EVIL}"}, {"Accept": "application/json"}, {"Accept-Language": "en"}, {"User-Agent": EVIL}, {"Cookie": f"a={EVIL}"},
)  # fmt: skip
# What stays the same for everybody may be kept by caches on the way: it must not depend on anything but its address.
SHARED = (
    "/embed.js",
    "/favicon.ico",
    "/apple-touch-icon.png",
    "/robots.txt",
    "/sitemap.xml",
    "/static/css/site.css",
    "/medias/plateau.svg",
)
ODD_PATHS = (
    "/admissions/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/../microsite/config.py", "/static/%2e%2e/wsgi.py",
    "/static/..%2f..%2fwsgi.py", "/static/....//wsgi.py", "/medias/../school.toml", "/medias/%2e%2e/school.toml", "/medias/..%2fschool.toml",
    "/medias/..%5cschool.toml", "/medias//etc/passwd", "/medias/%2fetc%2fpasswd", "/medias/plateau.svg%00.txt", "/medias/C:%5cwindows",
    "/static/", "/medias/", "/brochure.", "/brochure%20", "/brochure%00", "/brochure;a=1", "/brochure%3b", "/BROCHURE",
    "/./admissions/journal", "/x/../admissions/journal", "/admissions;/journal", "/admissions%2fjournal", "/Admissions/journal",
    "/admissions/journal%00", "/admissions/journal.json", "/%61dmissions%2fjournal", "/.git/config", "/.env", "/wsgi.py", "/instance/secret_key",
    "/secret_key", "/microsite.sqlite3", "/%c0%ae%c0%ae/", "/" + "a" * 8000, "/" + "a/" * 2000, "/partage/../../secret_key/x.png",
    "/medias/" + "a" * 300, "/medias/" + "a/" * 3000,
)  # fmt: skip
_TOKEN = re.compile(rb'(name="form_token" type="hidden" value=")[^"]*')


@pytest.fixture
def engine_name() -> str:
    """None of it reaches the database."""
    return "sqlite"


def _is_ours(answer: Response) -> bool:
    place = urlsplit(answer.headers.get("Location", "/"))
    return place.hostname in (None, "localhost") and place.path.startswith("/") and EVIL not in place.netloc


def _values(rule: str, value: str) -> str:
    return re.sub("<[^>]*>", value, rule)


@pytest.mark.slow
def test_no_redirect_leads_elsewhere(app: Flask, client: CheckedClient) -> None:
    known = fuzzing.furnish(app)
    names = (
        "suite",
        "next",
        "url",
        "r",
        "return_to",
        "fait",
        "theme",
        "utm_source",
        "landing_path",
        "referrer_host",
        "v",
    )
    query = "&".join(f"{name}={{0}}" for name in names)
    rules = sorted({rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())})

    led = 0
    for rule in rules:
        path = _values(rule, known["token"][0])
        with client.get(path) as answer:
            is_leading = "Location" in answer.headers and not rule.startswith("/admissions/")
        # Of pages that lead nowhere, and of staff's, which all lead to one, a few will do.
        for value in ELSEWHERE if is_leading else ELSEWHERE[:3]:
            with client.get(f"{path}?{query.format(quote(value, safe=''))}") as answer:
                assert _is_ours(answer), (rule, value, answer.headers["Location"])
                led += "Location" in answer.headers
        for value in ELSEWHERE if "<" in rule else ():
            with client.get(_values(rule, quote(value, safe="/%"))) as answer:
                assert _is_ours(answer), (rule, value, answer.headers["Location"])
    for value in ELSEWHERE:
        with client.get(
            "/x", environ_overrides={"PATH_INFO": value.encode().decode("latin-1"), "REQUEST_URI": value}
        ) as answer:
            assert _is_ours(answer), (value, answer.headers["Location"])
    assert led > len(ELSEWHERE), "nothing led anywhere"


def test_signing_in_leads_to_no_other_site(app: Flask, client: CheckedClient) -> None:
    add_member(app, Role.ADMISSIONS)
    enter(client, email=address(Role.ADMISSIONS), password=PASSWORD)

    for value in ELSEWHERE:
        # Signed in already: straight on.
        answer = client.get("/admissions/connexion", query_string={"suite": value})
        assert _is_ours(answer), value
        assert answer.headers["Location"].startswith("/admissions/"), value
        assert not answer.headers["Location"].startswith("//"), value


@pytest.mark.parametrize(
    "host",
    [EVIL, f"localhost.{EVIL}", f"localhost@{EVIL}", f"{EVIL}#localhost", "localhost/x", "[::1", f"localhost, {EVIL}"],
)
def test_no_page_is_shown_under_a_name_that_is_not_ours(client: CheckedClient, host: str) -> None:
    for path in (*PAGES, "/embed/brochure", "//brochure", "/brochure/", "/admissions", "/nulle-part"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 400, path
        assert EVIL not in answer.text


def test_headers_that_caches_do_not_look_at_change_no_page(client: CheckedClient) -> None:
    for path in (*PAGES, *SHARED, "/embed/brochure", "/nulle-part", "/articles/rien"):
        with client.get(path) as plain:
            expected, headers = _TOKEN.sub(rb"\1", plain.data), _lasting(plain.headers)
        for unkeyed in UNKEYED:
            with client.get(path, headers=unkeyed) as answer:
                assert _TOKEN.sub(rb"\1", answer.data) == expected, (path, unkeyed)
                assert _lasting(answer.headers) == headers, (path, unkeyed)


def test_what_caches_may_share_is_the_same_whatever_is_asked_beside(client: CheckedClient) -> None:
    for path in SHARED:
        with (
            client.get(path) as plain,
            client.get(f"{path}?utm_source={EVIL}&theme=dark&{EVIL}", headers={"Referer": f"https://{EVIL}/"}) as junk,
        ):
            assert junk.data == plain.data, path
            assert (
                "private" in plain.headers["Cache-Control"]
                or "public" in plain.headers["Cache-Control"]
                or plain.cache_control.max_age
            )


def test_every_other_public_answer_is_its_reader_s_alone(app: Flask, client: CheckedClient) -> None:
    known = fuzzing.furnish(app)
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule in SHARED or rule.rule.startswith("/admissions"):
            continue
        for token in (*known.get(rule.endpoint, ()), "1"):
            with client.get(_values(rule.rule, token)) as answer:
                shared = answer.cache_control.public
                assert not shared or rule.rule in ("/medias/<path:name>", "/partage/<version>/<name>.png"), rule.rule
                assert answer.cache_control.no_store or answer.cache_control.private or shared, (
                    rule.rule,
                    answer.headers["Cache-Control"],
                )
                assert "Set-Cookie" not in answer.headers


def test_odd_paths_lead_nowhere(client: CheckedClient) -> None:
    for path in ODD_PATHS:
        with client.get(
            "/", environ_overrides={"PATH_INFO": _decoded(path), "REQUEST_URI": path, "RAW_URI": path}
        ) as answer:
            assert answer.status_code in (301, 303, 308, 404), path
            if answer.status_code != 404:
                assert urlsplit(answer.headers["Location"]).path.startswith("/"), path
                assert _is_ours(answer), path


def test_odd_methods_do_nothing(app: Flask, client: CheckedClient) -> None:
    for rule in sorted({rule.rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"}):
        path = _values(rule, "1")
        for method in (
            "TRACE",
            "CONNECT",
            "PUT",
            "PATCH",
            "DELETE",
            "PROPFIND",
            "FOO",
        ):
            with client.open(path, method=method) as answer:
                assert answer.status_code in (404, 405), (method, rule)
                assert answer.status_code == 404 or answer.headers["Allow"], (method, rule)
        with client.open(path, method="OPTIONS") as answer:
            # Of staff, not even what there is.
            assert answer.status_code in ((200,) if not path.startswith("/admissions") else (200, 303, 404)), rule
            assert answer.data == b"" or answer.status_code != 200
        with client.open(path, method="HEAD") as head, client.get(path) as got:
            assert (head.status_code, head.data) == (got.status_code, b""), rule


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_method_is_the_one_that_was_used(client: CheckedClient, header: str) -> None:
    form = client.page("/brochure").form("/brochure").filled(**BROCHURE)

    assert client.get("/brochure", query_string=form | {"_method": "POST"}, headers={header: "POST"}).status_code == 200
    assert client.post("/brochure", data=form | {"_method": "DELETE"}, headers={header: "DELETE"}).status_code == 303


def test_what_is_echoed_in_a_header_ends_no_header(client: CheckedClient) -> None:
    for path in (
        "/c/a%0d%0aSet-Cookie:%20a=1",
        "/c/%E2%80%A8a",
        "/?utm_source=%0d%0aSet-Cookie:a=1",
        "/articles/%0d%0aX:1",
        "//a%0d%0aX:1",
    ):
        answer = client.get(path)

        assert all(char not in value for _, value in answer.headers for char in "\r\n\0"), path
        assert "Set-Cookie" not in answer.headers
        assert "X" not in answer.headers


def test_line_end_that_a_server_lets_through_ends_no_header(client: CheckedClient) -> None:
    answer = client.get("/articles//x", environ_overrides={"QUERY_STRING": "a=\r\nX:1"})

    assert (answer.status_code, answer.headers["Location"]) == (301, "/articles/x?a=%0D%0AX:1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("served")
    with started({"MICROSITE_INSTANCE_PATH": str(folder), "MICROSITE_FORM_RATE_LIMIT": "0,0"}, workers=1) as running:
        yield running


_HOST = b"Host: localhost\r\n"
_POST = b"POST /brochure HTTP/1.1\r\n" + _HOST
_CLOSE = b"Connection: close\r\n\r\n"
# Bytes on the wire → the status, None where nothing but the end of the connection answers
RAW = [
    ("two lengths", _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
    ("a length with a sign", _POST + b"Content-Length: +5\r\n\r\nabcde", 400),
    ("an unknown transfer coding", _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked, but not last", _POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    ("a folded header", _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    ("a space before the colon", _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    ("no host", b"GET /brochure HTTP/1.1\r\n" + _CLOSE, 400),
    ("two hosts", b"GET /brochure HTTP/1.1\r\n" + _HOST + b"Host: mal.example\r\n" + _CLOSE, 400),
    ("another host in the line's place", b"GET http://localhost/brochure HTTP/1.1\r\nHost: mal.example\r\n" + _CLOSE, 400),
    ("a header of a megabyte", b"GET / HTTP/1.1\r\n" + _HOST + b"X: " + b"a" * 1_000_000 + b"\r\n" + _CLOSE, 431),
    ("five hundred headers", b"GET / HTTP/1.1\r\n" + _HOST + b"".join(b"X%d: a\r\n" % n for n in range(500)) + _CLOSE, 431),
    ("an address of 100 KB", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + _HOST + _CLOSE, 414),
    ("bytes that are no text", b"GET /?a=\xff HTTP/1.1\r\n" + _HOST + _CLOSE, 400),
    ("a NUL", b"GET /a\x00b HTTP/1.1\r\n" + _HOST + _CLOSE, 400),
    ("TRACE", b"TRACE / HTTP/1.1\r\n" + _HOST + _CLOSE, 405),
    ("CONNECT", b"CONNECT mal.example:80 HTTP/1.1\r\n" + _HOST + _CLOSE, 404),
    ("HTTP/2 unasked", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
    ("a body of chunks that is too large", _POST + b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n40000\r\n" + b"a" * 0x40000 + b"\r\n0\r\n\r\n", 411),
]  # fmt: skip


def _answered(server: Server, raw: bytes, *, ends: bool = False) -> int | None:
    where = urlsplit(server.site)
    with socket.create_connection((where.hostname or "", where.port or 80), timeout=PATIENCE) as connection:
        connection.sendall(raw)
        if ends:
            connection.close()
            return None
        answer = HTTPResponse(connection)
        try:
            answer.begin()
        except ConnectionError:
            return None
        return answer.status


def test_server_takes_no_request_in_two_ways(server: Server) -> None:
    assert [(name, _answered(server, raw)) for name, raw, _ in RAW] == [(name, status) for name, _, status in RAW]
    assert _answered(server, b"GET /healthz HTTP/1.1\r\n" + _HOST + _CLOSE) == 200


def test_slow_heads_keep_nobody_from_the_site(server: Server) -> None:
    where = urlsplit(server.site)
    slow = [socket.create_connection((where.hostname or "", where.port or 80)) for _ in range(100)]
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: loc")

    assert _answered(server, b"GET /healthz HTTP/1.1\r\n" + _HOST + _CLOSE) == 200

    for connection in slow:
        with contextlib.closing(connection):
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1)


def test_form_that_was_cut_off_on_its_way_is_not_taken_for_whole(
    client: CheckedClient, make_app: Callable[..., Flask]
) -> None:
    form = client.page("/brochure").form("/brochure").filled(**BROCHURE)
    whole = "&".join(f"{name}={quote(value)}" for name, value in form.items()) + "&phone_consent=y"

    answer = client.post(
        "/brochure",
        data=whole[:-5],
        headers={"Content-Length": str(len(whole))},
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(whole))},
    )

    assert answer.status_code == 400


def _decoded(path: str) -> str:
    raw = re.sub(b"%([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), path.encode())
    return raw.decode("latin-1")


def _lasting(headers: Headers) -> dict[str, str]:
    """Without what a clock, a token or the request's own name makes differ."""
    own = ("Date", "Expires", "ETag", "Content-Length", "X-Request-ID")
    return {name: value for name, value in headers.items() if name not in own}


def _body(server: Server, raw: bytes, *, then: int) -> int | None:
    """The status of the answer to a form that is sent in two parts, whose connection then ends for sending."""
    where = urlsplit(server.site)
    with socket.create_connection((where.hostname or "", where.port or 80), timeout=30) as connection:
        connection.sendall(raw[:then])
        time.sleep(0.2)
        # It may have refused by now, and hung up.
        with contextlib.suppress(OSError):
            connection.sendall(raw[then:])
            connection.shutdown(socket.SHUT_WR)
        answer = HTTPResponse(connection)
        try:
            answer.begin()
        except ConnectionError:
            return None
        return answer.status


@pytest.mark.slow
def test_form_of_which_granian_gets_a_part_is_not_kept(tmp_path: Path) -> None:
    """In chunks, with and without the last one, and with a length that is more than what comes."""
    environ = {
        "MICROSITE_INSTANCE_PATH": str(tmp_path),
        "MICROSITE_MIN_FILL_SECONDS": "0",
        "MICROSITE_PAGE_SECONDS": "0",
    }
    with started(environ, workers=1, options=()) as running:
        site = Visitor(running.site)
        form = site.page("/brochure").form("/brochure").filled(**BROCHURE)
        # What is cut off would have been asked for.
        whole = urlencode(form).encode() + b"&phone_consent=y"
        host = f"Host: {urlsplit(running.site).netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        for kind in ("/brochure", "/embed/brochure", "/mon-espace", "/admissions/connexion"):
            head = f"POST {kind} HTTP/1.1\r\n{host}".encode()
            chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(whole) - 5, whole[:-5])
            measured = head + b"Content-Length: %d\r\n\r\n" % len(whole) + whole[:-5]
            multipart = head.replace(b"x-www-form-urlencoded", b"x").replace(
                b"application/x", b"multipart/form-data; boundary=b"
            )
            parts = b"".join(
                b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value.encode())
                for name, value in form.items()
            )
            cut = multipart + b"Content-Length: %d\r\n\r\n" % (len(parts) + 5) + parts
            for raw in (chunked, chunked + b"5\r\nent", chunked + b"0\r\n\r\n", measured, cut):
                answers = [_body(running, raw, then=len(head) + 60), _body(running, raw, then=len(raw) - 3)]
                assert set(answers) <= {400, 411, None}, (kind, raw)
            assert _answered(running, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 411, kind
        status, _ = site.post("/brochure", whole)
        assert status == 303
        app = create_app(environ)
        assert len(export(app)) == 1
