"""A name for each request, in its log lines, its answer and on its error page: what a visitor can tell us."""

import re
import secrets

from flask import Flask, Response, g, has_request_context, request

from .context import current_settings

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def init_app(app: Flask) -> None:
    app.jinja_env.globals["request_id"] = request_id
    app.after_request(_tell)


def request_id() -> str:
    """The nearest proxy's name for it, where one is set; else our own. Needs a request."""
    if "request_id" not in g:
        g.request_id = _given() or secrets.token_hex(8)
    return str(g.request_id)


def find_request_id() -> str | None:
    """None outside of a request."""
    return request_id() if has_request_context() else None


def _given() -> str | None:
    # Without a proxy anybody could write what they like into our log.
    name = request.headers.get(HEADER, "") if current_settings().proxies else ""
    return name if _SANE.fullmatch(name) else None


def _tell(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    return response
