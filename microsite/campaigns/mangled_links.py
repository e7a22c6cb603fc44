"""Links as tools mangle them: the query is mended before Flask reads it, a wrong path redirected to the right one."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, unquote

from flask import Flask, current_app, redirect, request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import MapAdapter, RequestRedirect, Rule
from werkzeug.wrappers import Response

from ..web.access_log import PROBES
from ..web.caching import DEFAULT
from ..web.request import is_staff_s
from .mangled_queries import ENCODED_PARAMETER, PARAMETER, mend_query

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READING = ("GET", "HEAD")
# Where a query begins in the path of a page that is there.
_QUERY_IN_PATH = re.compile(rf"[?#]|\.html?(?!\w)|{PARAMETER}|{ENCODED_PARAMETER}", re.IGNORECASE)
# Where the address ends in a path that leads to no page; quotes and spaces can't stand in one.
_END_OF_ADDRESS = re.compile(
    rf'[?&;#<>"\s]|\\(?:u00|x)|\]\(|\.html?(?!\w)|{PARAMETER}|{ENCODED_PARAMETER}', re.IGNORECASE
)
_QUERY = re.compile(r"[?&;]|[,+\s](?=\w+=)|%(?:25)*(?:26|3F|3B)|\\(?:u00|x)26", re.IGNORECASE)
# An `&` or a percent sign of a value, where the path was decoded around it.
_IN_VALUE = re.compile(r"&(?![\w.;#-]*[=;])|%(?![0-9A-Fa-f]{2})")
_SLASHES = re.compile("/{2,}")
# How often a path is decoded once more to find where its query begins: twice is what tools do.
_LEVELS = 3
# Signs that stand for themselves in a path, and in a query, beside letters and digits.
_OF_PATH, _OF_QUERY = "/:@!$'()*,~", "=&?;+,:@!$'()*/~%"
# Signs that begin a query, or a name that is hidden.
_KEPT_AT_BEGINNING = "?&;#."

CanonicalUrl = Callable[..., str | None]
# Characters of a link's signature: HMAC-SHA-256 in base64, without padding.
_SIGNATURE = 43


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
    app.extensions["canonical_urls"] = {}
    app.wsgi_app = MangledLinks(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to add a middleware
    app.before_request(redirect_to_canonical_path)


def set_canonical_url(app: Flask, endpoint: str, canonical_url: CanonicalUrl) -> None:
    """Name the function that takes the variable part of the endpoint's address and returns the page's URL.

    It returns None where there is no such page, or where the request asks for that URL already.
    """
    app.extensions["canonical_urls"][endpoint] = canonical_url


def redirect_to_canonical_path() -> Response | None:
    """301 where the path of a page is written wrong; a page that isn't there stays one."""
    path, error = request.path, request.routing_exception
    if request.method not in _READING or is_staff_s(path) or not isinstance(error, NotFound | RequestRedirect | None):
        return None
    if error is None and not _may_be_mangled(path):
        return None
    address, rest = _split(path, _END_OF_ADDRESS if error else _QUERY_IN_PATH)
    found = _find_page(_without_signs(address))
    if found is None or (error is None and found[0] in (path, path.rstrip("/"))):
        return None
    if found[1].rule.endswith("token>") and len(found[0].rpartition(".")[2]) != _SIGNATURE:
        # Without its last sign a signature isn't whole: it was changed, and nothing was glued to it.
        return None
    return _redirect(*found, queries=(_query_of(rest), request.query_string.decode()))


def _may_be_mangled(path: str) -> bool:
    """Whether the variable part of a page's address may hold more than a name."""
    if not request.view_args:
        return False
    # Signs around a campaign's code are left out when it is looked up.
    if "code" not in request.view_args and (not path[-1].isalnum() or "%" in path):
        return True
    is_named = request.endpoint in current_app.extensions["canonical_urls"]
    return is_named or _QUERY_IN_PATH.search(path) is not None


def _split(path: str, end: re.Pattern[str]) -> tuple[str, str]:
    """The path and what follows it, decoded until that is found: tools encode some addresses several times."""
    for _ in range(_LEVELS):
        path = _without_signs_before(path)
        match = end.search(path)
        if match:
            return path[: match.start()], path[match.start() :]
        path = unquote(path)
    return path, ""


def _query_of(rest: str) -> str:
    """The query that was glued to a path, percent-encoded where it isn't any more."""
    begin = _QUERY.search(rest)
    if begin is None:
        return ""
    return quote(_IN_VALUE.sub(lambda sign: quote(sign[0]), rest[begin.start() :].lstrip("?;,+ ")), safe=_OF_QUERY)


def _find_page(path: str) -> tuple[str, Rule] | None:
    """The URL of the public page of this path in any case, and its route; variable parts stay or are canonical."""
    routes = current_app.create_url_adapter(request)
    canonical_urls = cast(Mapping[str, CanonicalUrl], current_app.extensions["canonical_urls"])
    for address in _written_as_routes(path) if routes else ():
        try:
            rule, values = cast(MapAdapter, routes).match(address, method="GET", return_rule=True)
        except HTTPException:
            continue
        canonical_url = canonical_urls.get(rule.endpoint)
        return (canonical_url and canonical_url(**values)) or address, rule
    return None


def _written_as_routes(path: str) -> Iterator[str]:
    """The path with its fixed part as public routes write it; those without a variable part first."""
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: "<" in rule.rule):
        fixed, _, variable = rule.rule.partition("<")
        if is_staff_s(fixed.rstrip("/")) or fixed in PROBES:
            continue
        if not variable and path.rstrip("/").lower() == fixed.rstrip("/"):
            yield fixed
        elif variable and path[: len(fixed)].lower() == fixed and path[len(fixed) :]:
            yield f"{fixed}{path[len(fixed) :]}"


def _redirect(url: str, rule: Rule, *, queries: Iterable[str]) -> Response:
    address, _, own_query = url.partition("?")
    query = mend_query("&".join(filter(None, (*queries, own_query))))
    answer = redirect(quote(unquote(address), safe=_OF_PATH) + (f"?{query}" if query else ""), 301)
    # A signed address is its owner's alone.
    answer.headers["Cache-Control"] = "private, no-store" if "token" in rule.arguments else DEFAULT
    return answer


def _without_signs_before(path: str) -> str:
    end = next((at for at, sign in enumerate(path) if sign in _KEPT_AT_BEGINNING or not _is_sign(sign)), len(path))
    return f"/{path[end:]}"


def _without_signs(path: str) -> str:
    """The path without the signs behind it, which messengers, mail programs and people take along; all slashes single.

    No public address ends in one.
    """
    end = next((at for at in range(len(path), 0, -1) if not _is_sign(path[at - 1])), 0)
    return _SLASHES.sub("/", path[:end]) or "/"


def _is_sign(char: str) -> bool:
    """Punctuation, symbols, separators, invisible and unassigned characters, and what chooses an emoji's form."""
    kind = unicodedata.category(char)
    return kind[0] in "PSZ" or kind == "Cf" or char in "\t\r\n" or "\ufe00" <= char <= "\ufe0f"
