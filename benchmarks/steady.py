"""A visitor now and then: how long pages take while something else runs."""

import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence

# Seconds between two pages: light load.
_EVERY = 0.02
_PAGES = ("/", "/brochure", "/portes-ouvertes", "/candidater")


def waits(url: str, *, seconds: float, is_over: Callable[[], bool] = lambda: False) -> list[float]:
    """Milliseconds of each page, each on a connection of its own, so that every process of the server is asked."""
    return list(_waits(url, time.monotonic() + seconds, is_over))


def p99(times: Sequence[float]) -> float:
    return sorted(times)[int(0.99 * (len(times) - 1))]


def _waits(url: str, until: float, is_over: Callable[[], bool]) -> Iterator[float]:
    asked = 0
    while time.monotonic() < until and not is_over():
        began = time.perf_counter()
        with urllib.request.urlopen(url + _PAGES[asked % len(_PAGES)], timeout=30) as answer:
            answer.read()
        took = time.perf_counter() - began
        asked += 1
        yield 1000 * took
        time.sleep(max(0.0, _EVERY - took))
