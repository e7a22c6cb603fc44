"""Links as tools mangle them: campaign parameters glued to the path or to each other, capitals, signs at the end.

The query is mended before Flask reads it, and for the key of a kept page. Where the path is wrong, its reader is led
to the right address, with the query. embeds/embed.js does the first for the page around a frame.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote_plus

from flask import Flask, current_app, redirect, request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import MapAdapter, RequestRedirect
from werkzeug.wrappers import Response

from ..web.access_log import PROBES
from ..web.request import is_staff_s
from .attribution import NAMES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READING = ("GET", "HEAD")
# Attribution, and what a framed page is asked for (web/framing.py).
_KNOWN = "|".join((*NAMES, "theme"))
# `&`, `&amp;`, `&amp;amp;`, `&#038;`, JSON's `\u0026`, each as it stands or percent-encoded.
_AMPERSAND = r"(?:&|%26|(?:\\|%5C)u0026)(?:(?:amp|(?:#|%23)0{0,3}38)(?:;|%3B)){0,3}"
_SPACES = r"(?:\+|%20|\s){0,3}"
# What an attribution knows, after whatever stands for `&`; any other name after a second `?` or an encoded `&`, which
# would else end up in the value before it.
_PARAMETER = re.compile(
    rf"(?:^|{_AMPERSAND}|\?|%3F|;|%3B){_SPACES}(?P<known>{_KNOWN})(?:=|%3D)"
    rf"|(?:{_AMPERSAND}|\?|%3F){_SPACES}(?P<other>[A-Z_][\w.-]{{0,39}})(?:=|%3D)",
    re.IGNORECASE,
)
# Where a query begins in a path, whose percent-encoding is gone already.
_QUERY_IN_PATH = re.compile(rf"\?|[&;]\s{{0,3}}(?:(?:amp|#0{{0,3}}38);){{0,3}}\s{{0,3}}(?:{_KNOWN})=", re.IGNORECASE)
# Where it may begin in one that leads to no page.
_SIGN = re.compile("[?&;]")
_SLASHES = re.compile("/{2,}")
# What messengers and mail programs take along from the text around an address.
_GLUED = " \t\r\n\xa0\u200b.,;:!?…'\"’”»<>)]}"
# Signs that stand for themselves in a path, and in a query, beside letters and digits.
_OF_PATH, _OF_QUERY = "/:@!$'()*,~", "=&?;+,:@!$'()*/~"


class MangledLinks:
    """WSGI middleware: mends the query of whatever visitors read."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        query = environ["QUERY_STRING"]
        if query and environ["REQUEST_METHOD"] in _READING and not is_staff_s(environ["PATH_INFO"]):
            environ["QUERY_STRING"] = mend_query(query)
        return self._application(environ, start_response)


def init_app(app: Flask) -> None:
    app.wsgi_app = MangledLinks(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to add a middleware
    app.before_request(_lead_to_the_right_address)


@lru_cache(512)
def mend_query(query: str) -> str:
    """The same parameters, each behind a plain `&`, known names in lower case; a right query comes back unchanged."""
    return _without_glued_signs(_PARAMETER.sub(_plain, query).removeprefix("&"))


def _plain(match: re.Match[str]) -> str:
    name = match["known"]
    return f"&{name.lower() if name else match['other']}="


def _without_glued_signs(query: str) -> str:
    before, _, last = query.rpartition("&")
    name, _, value = last.partition("=")
    if not name.startswith("utm_"):
        return query
    text = unquote_plus(value)
    kept = strip_glued(text)
    return query if kept == text else "&".join(filter(None, (before, f"{name}={quote_plus(kept)}")))


def strip_glued(text: str) -> str:
    """Without the signs at its end, unless a bracket opened in it may be one of them."""
    return text if "(" in text else text.rstrip(_GLUED)


def _lead_to_the_right_address() -> Response | None:
    """301 where the path of a page is written wrong; a page that isn't there stays one."""
    path, error = request.path, request.routing_exception
    if request.method not in _READING or is_staff_s(path) or not isinstance(error, NotFound | RequestRedirect | None):
        return None
    begin = (_SIGN if error else _QUERY_IN_PATH).search(path)
    if error is None and begin is None:
        return None
    end = begin.start() if begin else len(path)
    right = _find_address(path[:end])
    if right is None or right == path:
        return None
    queries = (quote(path[end:], safe=_OF_QUERY).lstrip("?;"), request.query_string.decode())
    query = mend_query("&".join(filter(None, queries)))
    return redirect(quote(right, safe=_OF_PATH) + (f"?{query}" if query else ""), 301)


def _find_address(path: str) -> str | None:
    """The public address that is meant, whatever its case and the signs around it; what is a name in it stays."""
    path = "/" + strip_glued(_SLASHES.sub("/", path)).strip("/")
    path = strip_glued(path) or "/"
    routes = current_app.create_url_adapter(request)
    for rule in current_app.url_map.iter_rules():
        fixed, _, variable = rule.rule.partition("<")
        named = path[len(fixed) :]
        if path[: len(fixed)].lower() != fixed or bool(named) != bool(variable) or is_staff_s(fixed.rstrip("/")):
            continue
        address = f"{fixed}{named}"
        if address not in PROBES and routes is not None and _is_page(routes, address):
            return address
    return None


def _is_page(routes: MapAdapter, path: str) -> bool:
    try:
        routes.match(path, method="GET")
    except HTTPException:
        return False
    return True
