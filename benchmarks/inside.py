"""What the article would cost if it were kept inside Flask: its first hook but the watch's gives the page."""

from collections.abc import Hashable

from flask import Response, request

from microsite.campaigns.kept_pages import came_by
from microsite.served import app
from microsite.web.page_cache import KEEPING

_pages: dict[Hashable, tuple[bytes, list[tuple[str, str]]]] = {}


def give() -> Response | None:
    page = _pages.get(_key())
    return Response(page[0], headers=page[1]) if page else None


def keep(response: Response) -> Response:
    if KEEPING in request.environ:
        _pages[_key()] = response.get_data(), list(response.headers)
    return response


def _key() -> Hashable:
    return request.path, request.headers.get("Accept-Encoding"), came_by(request.environ)


app.before_request_funcs[None].insert(1, give)
# What is hooked first ends last: the page is compressed by then.
app.after_request_funcs[None].insert(0, keep)
