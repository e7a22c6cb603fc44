"""A name for each request, in its log lines, its answer and on its error page: what a visitor can tell us."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from flask import Flask, Response, g, has_request_context, request

from .context import current_settings

HEADER = "X-Request-ID"
_IN_ENVIRON = "HTTP_X_REQUEST_ID"
# Names tell requests apart and open nothing: asking the system for each of them would cost more than the rest of it.
_draw = Random().getrandbits  # noqa: S311
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def init_app(app: Flask) -> None:
    app.jinja_env.globals["request_id"] = request_id
    app.after_request(_tell)


def request_id() -> str:
    """The same for all of a request. Needs one."""
    name: str | None = g.get("request_id")
    if name is None:
        g.request_id = name = name_request(request.environ, has_proxy=current_settings().proxies > 0)
    return name


def name_request(environ: Mapping[str, Any], *, has_proxy: bool) -> str:
    """The nearest proxy's name for it, where one is set; else a new one."""
    # Without a proxy anybody could write what they like into our log.
    given = environ.get(_IN_ENVIRON, "") if has_proxy else ""
    return given if _SANE.fullmatch(given) else f"{_draw(64):016x}"


def find_request_id() -> str | None:
    """None outside of a request."""
    return request_id() if has_request_context() else None


def _tell(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    return response
