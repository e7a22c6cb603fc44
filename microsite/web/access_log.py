"""One log line a request: method, route, status, milliseconds. Never an address, a query or a path as typed.

Static files have none (web/static_files.py says why).
"""

import logging
import time
from types import MappingProxyType

from flask import Flask, Response, g, request

from .request_ids import request_id

logger = logging.getLogger("microsite.access")


def init_app(app: Flask) -> None:
    app.before_request(_start_watch)
    app.after_request(_log)


def _start_watch() -> None:
    g.started = time.perf_counter()


def _log(response: Response) -> Response:
    # An address that matches no route may hold anything, a name or a token included.
    rule = request.url_rule
    # Refused before any hook ran (an untrusted host): no watch was started.
    started = g.get("started")
    seconds = 0 if started is None else time.perf_counter() - started
    log_answer(request.method, rule.rule if rule else "-", response.status_code, seconds=seconds, name=request_id())
    return response


def log_answer(method: str, route: str, status: int, *, seconds: float, name: str) -> None:
    """The line of a request that is named so (request_ids.py), whether Flask answered it or not."""
    # Probes ask every few seconds, and would drown the rest.
    level = logging.DEBUG if route in PROBES and status < 400 else logging.INFO
    if logger.isEnabledFor(level):
        known = method if method in _METHODS else "-"
        logger.handle(_Line(level, f"{known} {route} {status} {seconds * 1000:.1f}ms", request=name))


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
