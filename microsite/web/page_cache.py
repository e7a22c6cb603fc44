"""Pages kept ready-made in front of Flask, in each encoding, as long as MICROSITE_PAGE_SECONDS says.

What may be kept, and what it depends on, is for the view to say (Keeping). Each time a page is given it is named,
logged and counted anew; its headers are those that Flask gave it.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from werkzeug.http import is_resource_modified, remove_entity_headers
from werkzeug.wsgi import ClosingIterator

from .access_log import log_answer
from .request_ids import HEADER, name_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Where a view puts its Keeping, in the environ.
KEEPING = "microsite.keeping"
# Bytes of pages that a process keeps: some hundred, compressed.
LIMIT = 2 * 1024**2
# Of one request alone; the second is the server's to tell.
_PASSING = frozenset({HEADER, "Date"})
# Of the time that a page is given, the part after which a new one is made.
_FRESH = 0.9
# Seconds that one is waited for who makes a page.
_PATIENCE = 1
_Key = tuple[Hashable, ...]
_STATUS = {200: "200 OK", 304: "304 NOT MODIFIED"}


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """An answer is the same for whoever comes as this `visitor` did; `count` is told of each time it is given."""

    visitor: Hashable
    route: str
    count: Callable[["WSGIEnvironment"], None]


@dataclass(kw_only=True)
class _Page:
    body: bytes
    headers: list[tuple[str, str]]
    keeping: Keeping
    until: float
    # When the first to come asks Flask for a new one, while the others are still given this one.
    renewed_from: float


class PageCache:
    """WSGI middleware. `visitor` tells of a request what a page may depend on beside its address; None: ask Flask."""

    def __init__(
        self, application: "WSGIApplication", *, seconds: int, has_proxy: bool, visitor: Callable[..., Hashable | None]
    ) -> None:
        self._application, self._visitor = application, visitor
        self._seconds, self._has_proxy = seconds, has_proxy
        self._pages: OrderedDict[_Key, _Page] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        # Where pages have been kept, and what is being made there for who comes by a new way.
        self._paths: set[str] = set()
        self._making: dict[_Key, threading.Event] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began = time.monotonic()
        visitor = self._visitor(environ) if environ["REQUEST_METHOD"] in ("GET", "HEAD") else None
        if visitor is None or "HTTP_HOST" not in environ or "HTTP_IF_MATCH" in environ:
            return self._application(environ, start_response)
        place = environ["wsgi.url_scheme"], environ["HTTP_HOST"], environ["PATH_INFO"]
        key = (visitor, place, environ.get("HTTP_ACCEPT_ENCODING"))
        page = self._pages.get(key)
        if page is not None and began < page.until:
            if began < page.renewed_from or environ["REQUEST_METHOD"] != "GET":
                return self._give(page, environ, start_response)
            # By the first to come; the others are given this one meanwhile, and the next one tries if this one fails.
            page.renewed_from = began + _PATIENCE
            return self._ask(key, began, environ, start_response)
        if environ["PATH_INFO"] not in self._paths:
            return self._ask(key, began, environ, start_response)
        return self._ask_once(key, began, environ, start_response)

    def _ask_once(self, key: _Key, began: float, environ: "WSGIEnvironment", start_response: Any) -> Iterable[bytes]:
        """A crowd that comes by a new way waits for who came first, not for long, and makes nothing itself."""
        made = threading.Event()
        first = self._making.setdefault(key, made)
        if first is made:
            try:
                return self._ask(key, began, environ, start_response)
            finally:
                del self._making[key]
                made.set()
        first.wait(_PATIENCE)
        page = self._pages.get(key)
        if page is not None and time.monotonic() < page.until:
            return self._give(page, environ, start_response)
        return self._ask(key, began, environ, start_response)

    def _give(self, page: _Page, environ: "WSGIEnvironment", start_response: Any) -> Iterable[bytes]:
        status, headers, body = 200, page.headers, [page.body]
        if "HTTP_IF_NONE_MATCH" in environ and not is_resource_modified(environ, dict(headers)["ETag"]):
            status, headers, body = 304, list(headers), []
            remove_entity_headers(headers)
        name = name_request(environ, has_proxy=self._has_proxy)
        start_response(_STATUS[status], [*headers, (HEADER, name)])
        page.keeping.count(environ)
        log_answer(environ, page.keeping.route, status, name=name)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body

    def _ask(self, key: _Key, began: float, environ: "WSGIEnvironment", start_response: Any) -> Iterable[bytes]:
        """Flask's answer; kept if its view says so, and took this visitor for the same one."""
        told: dict[str, Any] = {}

        def listen(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            told.update(status=status, headers=headers)
            return start_response(status, headers, *fault)

        answer = cast(ClosingIterator, self._application(environ, listen))
        is_page = environ["REQUEST_METHOD"] == "GET" and told.get("status") == _STATUS[200]
        keeping = environ.get(KEEPING) if is_page else None
        if keeping is None or keeping.visitor != key[0]:
            return answer
        with closing(answer):
            body = b"".join(answer)
        headers = [pair for pair in told["headers"] if pair[0] not in _PASSING]
        until, renewed_from = began + self._seconds, began + self._seconds * _FRESH
        self._keep(key, _Page(body=body, headers=headers, keeping=keeping, until=until, renewed_from=renewed_from))
        self._paths.add(environ["PATH_INFO"])
        return [body]

    def _keep(self, key: _Key, page: _Page) -> None:
        """In place of those that are the oldest: what nobody asks for isn't made anew, and comes to be one of them."""
        with self._lock:
            before = self._pages.pop(key, None)
            self._pages[key] = page
            self._size += len(page.body) - (len(before.body) if before else 0)
            while self._size > LIMIT:
                self._size -= len(self._pages.popitem(last=False)[1].body)
