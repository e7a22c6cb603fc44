"""Read what a request sends to its end, whatever it is answered.

A server that closes a connection while a body still comes resets it: nginx and Caddy then tell the visitor 502 in place
of our refusal, and may do so to other people whose forms travel on the same kept connection.
"""

import threading
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Bytes of a refused body that are read all the same: what the proxies of docs/deploy let through.
_LONGEST_REST = 50 * 1024**2
_CHUNK = 256 * 1024
# Rests that a process reads at once. Those beyond have their connection closed, and may get the proxy's 502.
_RESTS_AT_ONCE = 32


def init_app(app: Flask) -> None:
    """Around all that may answer."""
    app.wsgi_app = CompleteBodies(app.wsgi_app, small=app.config["MAX_CONTENT_LENGTH"])  # type: ignore[method-assign]  # Flask's own way to add a middleware


class CompleteBodies:
    """WSGI middleware: a form is read before it is worked on, and of a larger body what its answer has left unread.

    The rest of so many at once: a sender who stops in the middle of one keeps a thread of the server.

    A form that comes slowly so keeps nobody from being worked on (web/concurrency.py). `small` is in bytes.
    """

    def __init__(self, application: "WSGIApplication", *, small: int) -> None:
        self._application, self._small = application, small
        self._rests = threading.Semaphore(_RESTS_AT_ONCE)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH", "")
        if length.isdecimal() and int(length) <= self._small:
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))
            return self._application(environ, start_response)
        answer = self._application(environ, start_response)
        if (length or "HTTP_TRANSFER_ENCODING" in environ) and self._rests.acquire(blocking=False):
            try:
                _read_rest(environ)
            finally:
                self._rests.release()
        return answer


def _read_rest(environ: "WSGIEnvironment") -> None:
    # The server sends the answer, and closes the connection if there is more, once we have returned.
    left = _LONGEST_REST
    while left > 0 and (read := environ["wsgi.input"].read(_CHUNK)):
        left -= len(read)
