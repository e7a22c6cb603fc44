"""Views, counted by this process in memory and now and then added to the day's: a view costs no disk write.

Nothing is kept of who looked: no identifier, no address. Where no background worker runs (commands, another server than
`serve`), nobody writes the counts down, and they end with the process.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any, cast

from flask import Flask, Response, current_app, request

from ..db import db, writing
from ..formatters import PARIS
from .attribution import Attribution
from .carry import current_attribution
from .pages import page_of
from .robots import is_program
from .services import Seen, add_views, counted_text

logger = logging.getLogger("microsite.campaigns")

# Different rows that one process may add to a day. Eight values each, 32,766 in one statement of SQLite.
LIMIT = 4000

# Fetched in case the visitor goes there. Sec-Purpose is today's name ("prefetch", "prefetch;prerender": Fetch and
# Prerendering Revamped); Purpose was Chrome's and Safari's, X-Moz Firefox's before version 115.
_PURPOSES = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ", "HTTP_X_PURPOSE")


class ViewCounter:
    """Shared by the threads of one process; `flush` by one thread at a time."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._counts: Counter[Seen] = Counter()
        self._day = date.min
        # Hashes of the day's rows, which take less memory than the rows.
        self._known: set[int] = set()

    def add(self, seen: Seen) -> None:
        """Beyond the day's limit of different rows, those that are new aren't counted: invented ones fill no disk."""
        with self._lock:
            if seen.day != self._day:
                self._day, self._known = seen.day, set()
            if hash(seen) in self._known or self._has_room_for(seen):
                self._counts[seen] += 1

    def flush(self) -> None:
        """Add what was counted to the database, in a transaction of its own; what can't be written now stays.

        Needs an application context. Raises what the database raises.
        """
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with writing():
                add_views(db.session(), counts)
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise

    def _has_room_for(self, seen: Seen) -> bool:
        if len(self._known) == self._limit:
            return False
        self._known.add(hash(seen))
        if len(self._known) == self._limit:
            logger.warning("%d different views today: this process counts no new ones before tomorrow", self._limit)
        return True


def init_app(app: Flask) -> None:
    app.extensions["view_counter"] = ViewCounter()
    app.after_request(_count_own_page)


def current_counter() -> ViewCounter:
    return cast(ViewCounter, current_app.extensions["view_counter"])


def count_view(page: str, attribution: Attribution) -> None:
    """Count this request, if a person made it."""
    count_visit(request.environ, seen_on=partial(seen, page, attribution), counter=current_counter())


def count_visit(environ: Mapping[str, Any], *, seen_on: Callable[[date], Seen], counter: ViewCounter) -> None:
    """The same of any request, whether Flask answers it or not; `seen_on` a day in Paris."""
    if environ["REQUEST_METHOD"] != "GET" or _is_in_advance(environ):
        return
    if is_program(environ.get("HTTP_USER_AGENT", "")):
        return
    counter.add(seen_on(_day_of(int(time.time() // 60))))


@lru_cache(1)
def _day_of(minute: int) -> date:
    """The day in Paris; `minute` counts from 1970."""
    return datetime.fromtimestamp(minute * 60, PARIS).date()


def seen(page: str, attribution: Attribution, day: date) -> Seen:
    return Seen(
        day=day,
        page=page,
        campaign=counted_text(attribution.utm_campaign),
        source=counted_text(attribution.utm_source),
        medium=counted_text(attribution.utm_medium),
        embed_host=counted_text(attribution.embed_host),
        article=counted_text(attribution.article),
    )


def count_page(page: str, response: Response) -> None:
    """Count this request, if a person made it and it was answered by the page."""
    if response.status_code == 200 and response.mimetype == "text/html":
        count_view(page, current_attribution())


def _count_own_page(response: Response) -> Response:
    page = page_of(request.endpoint)
    if page is not None:
        count_page(page, response)
    return response


def _is_in_advance(environ: Mapping[str, Any]) -> bool:
    return any(map(environ.get, _PURPOSES))
