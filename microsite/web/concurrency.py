"""Limit how many requests a process works on at once, so that those which wait to write leave threads to pages.

The server has many more threads than a process works with: a request that has to wait does so on a thread of its own.
Visitors' forms and pages, and those of staff, wait separately. While they all shared eight threads, 200 registrations
at once kept the article waiting for 8 s.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask

from ..config import Settings
from ..db import BUSY_TIMEOUT, WRITE_DEADLINE
from .request import is_staff_s

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("microsite.concurrency")

# Threads of the server for each request of a kind that a process works on at once: 512 by default. Half of them must be
# enough for a crowd that comes while one process alone has started: it takes every connection.
SERVER_THREADS = 64
# Kinds of requests, each with its own limit.
KINDS = 4
# Seconds that a form waits at the longest: proxies give an answer a minute.
_LONGEST = 45
# Seconds without an answer after which the log says so, and between two such lines.
_LOG_AFTER = 5.0


def init_app(app: Flask, settings: Settings) -> None:
    app.wsgi_app = ConcurrencyLimit(app.wsgi_app, at_once=settings.threads)  # type: ignore[method-assign]  # Flask's own way to add a middleware


class ConcurrencyLimit:
    """WSGI middleware: `at_once` forms and as many pages, of visitors and of staff, run at a time; the others wait.

    Where no form gets written for BUSY_TIMEOUT seconds, or half of the server's threads are taken by people who write,
    the next one's deadline has come: the database layer refuses to write (db.py), and the form comes back, filled in.
    """

    def __init__(self, application: "WSGIApplication", *, at_once: int) -> None:
        self._application = application
        # By whether they are staff's.
        self._pages = {is_staff: threading.Semaphore(at_once) for is_staff in (False, True)}
        self._forms = {is_staff: _Turns(at_once) for is_staff in (False, True)}
        self._writers = threading.Semaphore(at_once * SERVER_THREADS // 2)
        self._unanswered = _Unanswered()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_staff = is_staff_s(environ["PATH_INFO"])
        if environ["REQUEST_METHOD"] != "POST":
            with self._pages[is_staff]:
                return self._application(environ, start_response)
        if not self._writers.acquire(blocking=False):
            environ[WRITE_DEADLINE] = time.monotonic()
            return self._application(environ, start_response)
        try:
            with self._unanswered.noting(environ):
                return self._run(self._forms[is_staff], environ, start_response)
        finally:
            self._writers.release()

    def _run(self, turns: "_Turns", environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, *rest: Any) -> Any:
            if not status.startswith("503"):
                turns.answered_at = time.monotonic()
            return start_response(status, *rest)

        has_turn, environ[WRITE_DEADLINE] = turns.take()
        try:
            return self._application(environ, start)
        finally:
            if has_turn:
                turns.give_back()


class _Turns:
    """`at_once` of them; whoever waits gives up once nobody has been answered for BUSY_TIMEOUT seconds."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.Semaphore(at_once)
        # The last time that somebody was, by time.monotonic().
        self.answered_at = 0.0

    def take(self) -> tuple[bool, float]:
        """Return whether a turn was had, and until when it may wait to write."""
        began = time.monotonic()
        while (left := self._deadline(began) - time.monotonic()) > 0:
            if self._free.acquire(timeout=left):
                # Somebody may have been answered meanwhile.
                return True, self._deadline(began)
        return False, began

    def give_back(self) -> None:
        self._free.release()

    def _deadline(self, began: float) -> float:
        return min(max(began, self.answered_at) + BUSY_TIMEOUT, began + _LONGEST)


class _Unanswered:
    """Log every few seconds how many of those who write have had no answer for long."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self._starting = threading.Lock()
        self._watch: threading.Thread | None = None

    @contextmanager
    def noting(self, environ: "WSGIEnvironment") -> Iterator[None]:
        self._start_watch()
        self._since[id(environ)] = time.monotonic()
        try:
            yield
        finally:
            del self._since[id(environ)]

    def _start_watch(self) -> None:
        # Here, and not when the application is made: a process that is forked afterwards would have no such thread.
        if self._watch is None:
            with self._starting:
                if self._watch is None:
                    self._watch = threading.Thread(target=self._log_long_waits, daemon=True, name="unanswered")
                    self._watch.start()

    def _log_long_waits(self) -> None:
        while True:
            time.sleep(_LOG_AFTER / 5)
            before = time.monotonic() - _LOG_AFTER
            count = sum(since < before for since in list(self._since.values()))
            if count:
                logger.warning("%d requests that write have had no answer for %d s", count, _LOG_AFTER)
                time.sleep(_LOG_AFTER)
