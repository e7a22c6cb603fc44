"""One log line a request: method, route, status, milliseconds. Never an address, a query or a path as typed.

The milliseconds are all those since the request came: reading a form and waiting for a turn to write count.
Static files have none (web/static_files.py says why).
"""

import logging
import time
from collections.abc import Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from .request_ids import request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("microsite.access")

# In the environ: when the request came, by time.perf_counter().
_STARTED = "microsite.started"


def init_app(app: Flask) -> None:
    app.after_request(_log)


def time_requests(app: Flask) -> None:
    """Around all that may wait."""
    app.wsgi_app = RequestTimer(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to add a middleware


class RequestTimer:
    """WSGI middleware: notes when a request came."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ[_STARTED] = time.perf_counter()
        return self._application(environ, start_response)


def _log(response: Response) -> Response:
    # An address that matches no route may hold anything, a name or a token included.
    rule = request.url_rule
    log_answer(request.environ, rule.rule if rule else "-", response.status_code, name=request_id())
    return response


def log_answer(environ: "WSGIEnvironment", route: str, status: int, *, name: str) -> None:
    """The line of a request that is named so (request_ids.py), whether Flask answered it or not."""
    # Probes ask every few seconds, and would drown the rest.
    level = logging.DEBUG if route in PROBES and status < 400 else logging.INFO
    if logger.isEnabledFor(level):
        method = environ["REQUEST_METHOD"]
        known = method if method in _METHODS else "-"
        milliseconds = (time.perf_counter() - environ[_STARTED]) * 1000
        logger.handle(_Line(level, f"{known} {route} {status} {milliseconds:.1f}ms", request=name))


class _Line(logging.LogRecord):
    """What never differs is found out once, not for each: process, and line of code."""

    _common = MappingProxyType(
        {
            level: logging.LogRecord(logger.name, level, __file__, 0, "", None, None).__dict__
            for level in (logging.DEBUG, logging.INFO)
        }
    )

    def __init__(self, level: int, message: str, *, request: str) -> None:
        self.__dict__ = {**self._common[level], "created": time.time(), "msg": message, "request": request}


PROBES = frozenset({"/healthz", "/readyz"})
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
