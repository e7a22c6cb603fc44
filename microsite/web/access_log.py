"""One log line a request: method, route, status, milliseconds. Never an address, a query or a path as typed.

Static files have none (web/static_files.py says why).
"""

import logging
import time

from flask import Flask, Response, g, request

logger = logging.getLogger("microsite.access")


def init_app(app: Flask) -> None:
    app.before_request(_start_watch)
    app.after_request(_log)


def _start_watch() -> None:
    g.started = time.perf_counter()


def _log(response: Response) -> Response:
    # An address that matches no route may hold anything, a name or a token included.
    route = request.url_rule.rule if request.url_rule else "-"
    # Refused before any hook ran (an untrusted host): no watch was started.
    milliseconds = (time.perf_counter() - g.started) * 1000 if "started" in g else 0
    method = request.method if request.method in _METHODS else "-"
    # Probes ask every few seconds, and would drown the rest.
    level = logging.DEBUG if route in _PROBES and response.status_code < 400 else logging.INFO
    logger.log(level, "%s %s %d %.1fms", method, route, response.status_code, milliseconds)
    return response


_PROBES = frozenset({"/healthz", "/readyz"})
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
