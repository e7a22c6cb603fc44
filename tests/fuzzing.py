"""Requests that nobody would send: made by hypothesis from the site's own routes, sent, and what came back judged."""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes, urlencode, urlsplit

from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.datastructures import Headers
from werkzeug.test import create_environ, run_wsgi_app

from microsite.db import db
from microsite.leads.links import mailed_token
from microsite.leads.models import Submission
from microsite.web.links import sign

from .answers import APPLICATION, BROCHURE, TELL_ME, plan_slot
from .campaigns.user_agents import PEOPLE, ROBOTS
from .page import CheckedClient

STAFF = "/admissions"
# What the back-office may set, and its sign-in page does.
COOKIE = "equipe="
METHODS = (
    "GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get", "X", "LOCK",
)  # fmt: skip
TYPES = (
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "multipart/form-data", "application/json",
    "text/plain", "application/xml", "application/octet-stream", "", "x", "multipart/form-data; boundary=" + "b" * 300,
    "application/x-www-form-urlencoded; charset=utf-7", "multipart/mixed; boundary=\"é\"",
)  # fmt: skip
SIGN_IN = "/admissions/connexion"
FORMS = (
    "/brochure", "/portes-ouvertes", "/candidater", "/mon-espace", "/embed/brochure", "/embed/portes-ouvertes", "/embed/candidater", SIGN_IN,
)  # fmt: skip
FIELDS = (
    *APPLICATION, "phone", "slot", "companions", "access_needs", "topic", "form_token", "csrf_token", "password", "code",
    "email_consent", "phone_consent", "guardian_name", "guardian_email", "shown", "List-Unsubscribe", "current", "new",
)  # fmt: skip
QUERIES = (
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer_host", "landing_path", "article",
    "embed_host", "theme", "UTM_SOURCE", "Utm_Campaign", "amp;utm_source", "fbclid", "apercu", "fait", "suite", "v", "avant", "q", "page", "etat", "du", "au", "connexion", "origin",
)  # fmt: skip
NASTY = (
    "", " ", "\x00", "a\x00b", "\r\nSet-Cookie: a=1", "../../etc/passwd", "..\\..\\", "%00", "%2e%2e%2f", "é", "👩‍👩‍👧", "\ud800",
    "\u202e", "﷽" * 50, "A" * 5000, "0", "-1", "1e309", "NaN", "99999999999999999999", "2147483648", "९९", "٣", "1_000",
    "{{7*7}}", "' OR 1=1 --", "<script>", "//mal.example", "/\\mal.example", "javascript:0", "2027-02-30", "0000-00-00",
    "9999-12-31", "a@b", "é@é.fr", "a@[127.0.0.1]", '"a b"@exemple.fr', "a@" + "b." * 120 + "fr", "+33" + "9" * 40, "\ufeff", "%", "%zz",
)  # fmt: skip
HEADERS = {
    "Host": (
        "localhost", "LOCALHOST", "localhost:99999", "localhost.", "LocalHost.:8000", "localhost:", "localhost..", ".localhost", ":80",
        "mal.example", "", "[::1", "[::1]:80", "127.0.0.1", "127.0.0.1:1", "é", "a b", "localhost,mal.example", "localhost/x", "a" * 3000,
    ),
    "Cookie": (COOKIE, "equipe=.e.x", "equipe=eyJfdXNlcl9pZCI6IjEifQ.aaaa.bbbb", "a=1; b", "\xff", "=" * 3000),
    "Range": ("bytes=0-", "bytes=5-1", "bytes=-1", "bytes=a", "bytes=0-1,5-6", "bytes=99999999999999999999-", "x"),
    "If-Range": ('"x"', "Mon", ""),
    "If-None-Match": ("*", '"a', "W/", "\xe9", ","),
    "If-Modified-Since": ("Mon, 99 Foo 9999 99:99:99 GMT", "0", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "Accept-Encoding": (
        "br", "gzip, deflate, br, zstd", "br;q=0", "BR;Q=0.000", "gzip;q=0.5, br;q=0.1", "gzip;q=2", "*;q=0", "*", "br;q=0, *", "identity;q=0",
        "identity, br;q=0.5", "x-gzip", "br;q=nan", "br;q=", "br;;q=1", ",,,", "\xe9", "br," * 1000,
    ),
    "Accept": ("", "x", "text/html;q=é"),
    "Accept-Language": ("*", "fr;q=" + "9" * 400),
    "Content-Length": ("0", "abc", "-1", "99999999999999999999", "3", "１", ""),
    "Content-Encoding": ("gzip", "x"),
    "Transfer-Encoding": ("chunked", "x, chunked", ""),
    "Expect": ("100-continue", "x"),
    "Origin": ("null", "http://localhost", "https://mal.example", "https://[", "\xe9", ""),
    "Referer": ("http://localhost/", "https://[::1", "//", "\xff", "https://mal.example/" + "a" * 3000),
    "Sec-Fetch-Site": ("same-origin", "same-site", "cross-site", "none", "x"),
    "Sec-Purpose": ("prefetch", "prefetch;prerender"),
    "X-Forwarded-For": (
        "1.2.3.4", "1.2.3.4:41000", "[2001:db8::1]:41000", "[2001:db8::1]", "2001:db8::1", "fe80::1%eth0", "::ffff:1.2.3.4:80", '"[::1]:80"',
        "unknown", "_hidden", "unix:", "0.0.0.0", "1.2.3.4:", ":80", "[", "[]:1", "%", "1.2.3.4,", "é", "unknown, 1.1.1.1", "," * 200, "1" * 5000,  # noqa: S104  # nobody listens there
    ),
    "X-Forwarded-Host": ("mal.example",),
    "X-Forwarded-Proto": ("https", "HTTPS", "https, http", "javascript", "é", ""),
    "X-HTTP-Method-Override": ("DELETE", "POST"),
    "X-Original-URL": ("/admissions/",),
    "User-Agent": ("", "\xff" * 50, "Googlebot", *PEOPLE[1:12:3], *ROBOTS[:12:4], "Mozilla/5.0 " + "bot" * 2000, "Mozilla/5.0 (compatible; " + "a" * 5000),
    "Authorization": ("Basic !!!", "Bearer \xe9", "Digest x", "Basic"),
}  # fmt: skip
# What tools put in the place of `&` and `?`, and of `=`.
SIGNS = (
    "&", "&amp;", "&amp;amp;", "&amp%3B", "%26", "%26amp%3B", "%2526", "&#038;", "&%23038;", "\\u0026", "%5Cu0026", "?", "??", "%3F", ";", "%3B", " ",
    "%20", "/", "//", "#", "%23", "%00", "%0d%0a", "%", "",
)  # fmt: skip
EQUALS = ("=", "=", "=", "%3D", "%253D", "==", "=3D", "\\u003d", "")
# What gets glued to the end of a link.
ENDS = (
    "",
    "",
    "/",
    "//",
    ".",
    ")",
    "*",
    "_",
    "%2520",
    "%23a",
    "%E2%80%BA",
    "\ufeff",
    ").",
    ",",
    ">",
    "%3E",
    "%C2%BB",
    "%20",
    "+",
    "\u200b",
    ";",
    "?",
    "&",
    "%",
    "…",
    "(",
)
_VARIABLE = re.compile(r"<[^>]+>")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """`path` and `query` as bytes that stand for themselves; `headers` in Latin 1."""

    method: str
    path: bytes
    query: bytes
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """As it stands in a request line."""
        query = quote_from_bytes(self.query, safe="%=&+/:?@!$'()*,;~-._")
        return quote_from_bytes(self.path, safe="/;:@!$&'()*+,=~-._") + (f"?{query}" if query else "")


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Headers
    body: bytes = field(repr=False)


def furnish(app: Flask) -> dict[str, list[str]]:
    """Have each form sent once; what a route's variables may hold that means something, and form tokens.

    Under the name of an endpoint: what opens it.
    """
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    slot = plan_slot(app)
    for path, answers in (
        ("/brochure", BROCHURE),
        ("/portes-ouvertes", TELL_ME | {"slot": slot}),
        ("/candidater", APPLICATION),
    ):
        client.follow(client.send(client.page(path).form(path), **answers))
    forms = [str(client.page(path).one("[name=form_token]").attributes["value"]) for path in FORMS if path != SIGN_IN]
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules() if "token" in rule.arguments}
    with app.test_request_context():
        submissions = db.session.scalars(select(Submission)).all()
        signed = {
            endpoint: [
                text for one in submissions for text in (sign(endpoint, one.reference), mailed_token(endpoint, one))
            ]
            for endpoint in sorted(endpoints)
        }
        references = [one.reference for one in submissions]
    words = ["brochure", "email", "phone", "svg", "plateau.svg", "home", slot, "1", *references]
    return {
        "token": [text for texts in signed.values() for text in texts],
        "form_token": forms,
        "words": words,
    } | signed


def requests(app: Flask, known: Mapping[str, list[str]]) -> st.SearchStrategy[Sent]:
    """Any request to any route, or to none: mostly nearly right, for what is all wrong is turned away at the door."""
    rules = sorted({rule.rule for rule in app.url_map.iter_rules()})
    values = st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.sampled_from(known["words"]))
    tokens = st.sampled_from(known["token"])
    damaged = st.builds(
        lambda text, at, char: text[:at] + char + text[at + 1 :], tokens, st.integers(0, 60), st.text(max_size=1)
    )
    path = st.one_of(
        st.tuples(st.sampled_from(rules), st.lists(st.one_of(tokens, damaged, values), min_size=3, max_size=3)).map(
            _filled
        ),
        st.builds(lambda rule, tail: (rule + tail).encode(errors="surrogatepass"), st.sampled_from(rules), values),
        st.binary(max_size=40).map(lambda raw: b"/" + raw),
    )
    query = st.one_of(st.just(b""), st.binary(max_size=40), _pairs(QUERIES, values))
    form_tokens = st.one_of(st.sampled_from(known["form_token"]), damaged, values)
    fields = st.dictionaries(st.sampled_from(FIELDS), values, max_size=12)
    bodies = st.one_of(
        st.builds(lambda typed, token: _encoded(APPLICATION | typed | {"form_token": token}), fields, form_tokens),
        st.builds(lambda typed, token: _multipart(BROCHURE | typed | {"form_token": token}), fields, form_tokens),
        st.builds(_encoded, fields),
        st.binary(max_size=200),
        st.just(b"a=" * 70_000),
        st.just(b""),
    )
    headers = st.lists(
        st.sampled_from(sorted(HEADERS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(HEADERS[name]))),
        max_size=3,
    ).map(dict)
    links = _mangled_links(
        sorted({rule for rule in rules if "<" not in rule} | {"/c/salon-2026", "/articles/x"}), values
    )
    link = st.builds(
        _asked_for,
        method=st.sampled_from(("GET", "GET", "HEAD", "POST")),
        link=links,
        headers=headers,
    )
    build = st.builds(
        _sent,
        method=st.one_of(st.sampled_from(("GET", "POST")), st.sampled_from(METHODS)),
        path=path,
        query=query,
        headers=headers,
        body=bodies,
        mimetype=st.one_of(st.sampled_from(TYPES[:2]), st.sampled_from(TYPES)),
    )
    # Forms have most to read.
    form = st.builds(
        _sent,
        method=st.just("POST"),
        path=st.sampled_from([path.encode() for path in FORMS]),
        query=query,
        headers=st.one_of(st.just({}), headers),
        body=bodies,
        mimetype=st.sampled_from(TYPES[:2]),
    )
    return st.one_of(build, build, form, link)


def send(app: Flask, sent: Sent) -> Answer:
    """Past the server, straight to the application."""
    environ = create_environ("/")
    environ |= {
        "REQUEST_METHOD": sent.method,
        "PATH_INFO": sent.path.decode("latin-1"),
        "QUERY_STRING": sent.query.decode("latin-1"),
        "REQUEST_URI": sent.target,
        "RAW_URI": sent.target,
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": io.StringIO(),
        "CONTENT_LENGTH": str(len(sent.body)),
        "HTTP_HOST": "localhost",
    }
    for name, value in sent.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    environ["wsgi.input_terminated"] = "HTTP_TRANSFER_ENCODING" in environ
    chunks, status, headers = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    return Answer(status=int(status.split()[0]), headers=Headers(headers), body=b"".join(chunks))


def faults(sent: Sent, answer: Answer) -> list[str]:
    """What must hold of every answer, whatever was sent."""
    found = []
    if answer.status >= 500:
        found.append(f"status {answer.status}")
    if b"Traceback" in answer.body:
        found.append("a trace is shown")
    for name in (
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Permissions-Policy",
        "Cache-Control",
    ):
        if len(answer.headers.getlist(name)) != 1:
            found.append(f"{name}: {answer.headers.getlist(name)}")
    # Several slashes at the beginning are one.
    is_staff_s = sent.path.lstrip(b"/").startswith(STAFF.encode().lstrip(b"/"))
    if "Set-Cookie" in answer.headers and not is_staff_s:
        found.append("a public page sets a cookie")
    if not _is_local(answer.headers.get("Location")):
        found.append(f"leads to {answer.headers['Location']}")
    if answer.status == 301 and unquote_to_bytes(urlsplit(answer.headers["Location"]).path) == sent.path:
        found.append("leads to itself")
    if answer.headers.get("Content-Encoding") not in (None, "br", "gzip"):
        found.append(f"encoded as {answer.headers['Content-Encoding']}")
    if any(char in value for _, value in answer.headers for char in "\r\n\0"):
        found.append("a header holds what ends it")
    return found


def _is_local(location: str | None) -> bool:
    if location is None:
        return True
    parts = urlsplit(location)
    if parts.netloc:
        return parts.scheme in ("http", "https") and parts.hostname in ("localhost", "127.0.0.1")
    return not parts.scheme and location.startswith("/") and not location.startswith(("//", "/\\"))


def _mangled_links(paths: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A link to a page with a campaign's parameters, as tools hand it on: path and query as they stand, encoded or not."""
    parameter = st.tuples(
        st.sampled_from(SIGNS),
        st.sampled_from(QUERIES),
        st.sampled_from(EQUALS),
        st.one_of(st.just("salon"), st.sampled_from(("été", "a+b", "a%26b", "(2027)", "3D", "x?y=z")), values),
    ).map("".join)
    turned = st.sampled_from(paths).flatmap(
        lambda path: st.sampled_from((path, path, path.upper(), path.title(), f"/{path}", f"{path}/", f"{path}//"))
    )
    return st.tuples(turned, st.lists(parameter, max_size=4).map("".join), st.sampled_from(ENDS)).map("".join)


def _asked_for(*, method: str, link: str, headers: dict[str, str]) -> Sent:
    path, _, query = link.encode(errors="surrogatepass").partition(b"?")
    return _sent(
        method=method, path=unquote_to_bytes(path), query=query, headers=headers, body=b"", mimetype="text/plain"
    )


def _filled(given: tuple[str, list[str]]) -> bytes:
    rule, values = given
    for value in values:
        rule = _VARIABLE.sub(lambda _, value=value: value, rule, count=1)  # type: ignore[misc]
    return rule.encode(errors="surrogatepass")


def _pairs(names: Iterable[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return st.dictionaries(st.sampled_from(sorted(names)), values, max_size=4).map(_encoded)


def _encoded(values: Mapping[str, str]) -> bytes:
    return urlencode(values, errors="surrogatepass").encode()


def _multipart(values: Mapping[str, str]) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in values.items()
    ]
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: x\r\n\r\n%PDF\r\n'
    return ("".join(parts) + file + "--b--\r\n").encode(errors="surrogatepass")


def _sent(*, method: str, path: bytes, query: bytes, headers: dict[str, str], body: bytes, mimetype: str) -> Sent:
    has_body = method not in ("GET", "HEAD", "OPTIONS", "TRACE", "CONNECT")
    typed = {"Content-Type": quote(mimetype, safe=' /;="-') if not mimetype.isascii() else mimetype} if has_body else {}
    return Sent(method=method, path=path, query=query, headers=typed | headers, body=body if has_body else b"")
