"""What the article would cost if it were kept inside Flask: once a request has its context, the page is given."""

from collections.abc import Hashable

from flask import Response, request

from microsite.campaigns.kept_pages import came_by
from microsite.served import app
from microsite.web.access_log import log_answer
from microsite.web.page_cache import KEEPING, Keeping
from microsite.web.request_ids import HEADER, request_id

_pages: dict[Hashable, tuple[bytes, list[tuple[str, str]], Keeping]] = {}
_dispatch = app.full_dispatch_request


def give_or_dispatch() -> Response:
    """Named, logged and counted as the site itself does with what it gives."""
    page = _pages.get(_key())
    if page is None:
        return _keep(_dispatch())
    body, headers, keeping = page
    response = Response(body, headers=[*headers, (HEADER, request_id())])
    keeping.count(request.environ)
    log_answer(request.environ, keeping.route, 200, name=request_id())
    return response


def _keep(response: Response) -> Response:
    keeping = request.environ.get(KEEPING)
    if keeping is not None:
        headers = [pair for pair in response.headers if pair[0] != HEADER]
        _pages[_key()] = response.get_data(), headers, keeping
    return response


def _key() -> Hashable:
    return request.path, request.headers.get("Accept-Encoding"), came_by(request.environ)


app.full_dispatch_request = give_or_dispatch  # type: ignore[method-assign]  # measured, not served
