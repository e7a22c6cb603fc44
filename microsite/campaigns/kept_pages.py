"""Pages that are the same for whoever comes the same way, kept in front of Flask (web/page_cache.py).

Which way that is must be read from each request before Flask does, and at little cost: only those parameters are
decoded that an attribution knows. A click identifier is another one for each visitor, and changes nothing.
"""

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from flask import Flask, request

from ..config import Settings
from ..web.page_cache import KEEPING, Keeping, PageCache
from ..web.request import Request
from .attribution import NAMES, Attribution
from .carry import current_attribution
from .counting import count_visit, current_counter, seen
from .mangled_queries import mend_query

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Characters of a way that is remembered; a longer one is a mistake or an attack, and Flask's to answer.
_LONGEST = 2000
_WAYS = 512
_NAMES = frozenset(NAMES)


def init_app(app: Flask, settings: Settings) -> None:
    if settings.page_seconds:
        cache = PageCache(app.wsgi_app, seconds=settings.page_seconds, has_proxy=settings.proxies > 0, visitor=came_by)
        app.wsgi_app = cache  # type: ignore[method-assign]  # Flask's own way to add a middleware


def keep_page(page: str) -> None:
    """Let the answer of this request be given again; `page` is what its views are counted as."""
    attribution = current_attribution()
    request.environ[KEEPING] = Keeping(
        visitor=_texts(attribution),
        route=request.url_rule.rule if request.url_rule else "-",
        count=partial(count_visit, seen_on=lru_cache(1)(partial(seen, page, attribution)), counter=current_counter()),
    )


def came_by(environ: "WSGIEnvironment") -> tuple[str, ...] | None:
    """The texts of the attribution that Flask will read of it, but the article: the page itself says which one it is.

    None where that would cost too much.
    """
    query, referrer = mend_query(environ["QUERY_STRING"]), environ.get("HTTP_REFERER", "")
    if query:
        pieces = query.split("&")
        query = "&".join([piece for piece in pieces if (name := piece.partition("=")[0]) in _NAMES or "%" in name])
    if referrer:
        # Scheme and host: the rest of a referrer's address is nothing to us.
        referrer = "/".join(referrer.split("/", 3)[:3])
    way = (environ["PATH_INFO"], query, referrer, environ.get("HTTP_HOST", ""))
    return _read(*way) if sum(map(len, way)) <= _LONGEST else None


@lru_cache(_WAYS)
def _read(path: str, query: str, referrer: str, host: str) -> tuple[str, ...]:
    bare = Request({"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query})
    came = Attribution.from_parameters(bare.args).arriving(path=bare.path, referrer=referrer, own_host=host)
    return _texts(came)


def _texts(attribution: Attribution) -> tuple[str, ...]:
    """Quicker to compare than the attribution itself, again and again."""
    return tuple(text for name, text in vars(attribution).items() if name != "article")
