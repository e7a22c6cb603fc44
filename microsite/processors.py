"""What a process's threads work on together stays with its own processors, while they answer what is sent.

Python runs one thread of a process at a time, and each statement that reaches SQLite lets another one go on. Where that
one is on another processor, everything that both work on follows it there: a quarter of a lead's time. A page that is
kept (web/page_cache.py) is given in one go, and costs least on whichever processor is free.
"""

import contextlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .file_lock import lock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def settled(application: "WSGIApplication", folder: Path, *, processes: int) -> "WSGIApplication":
    """The application of one process of several, whose threads keep to its own processors as long as they answer POST.

    `folder` is where the processes see which of them has which. The same application where there is less than a
    processor for each, where the system doesn't tell, and in a process that starts while as many others have theirs, as
    at each reload: slower, no worse.
    """
    try:
        every = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []  # macOS has none
        place = _take_place(folder, processes) if 1 < processes <= len(every) else None
    except OSError:
        return application
    if place is None:
        return application
    first, end = (len(every) * number // processes for number in (place, place + 1))
    return _Settled(application, own=every[first:end], every=every)


class _Settled:
    """WSGI middleware. A thread that is started meanwhile (group_commit.py) stays where it was started."""

    def __init__(self, application: "WSGIApplication", *, own: list[int], every: list[int]) -> None:
        self._application, self._own, self._every = application, own, every
        self._thread = threading.local()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        stays = environ["REQUEST_METHOD"] == "POST"
        if getattr(self._thread, "stays", None) is not stays:
            # Its processors may have been taken from it since.
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, self._own if stays else self._every)
            self._thread.stays = stays
        return self._application(environ, start_response)


def _take_place(folder: Path, places: int) -> int | None:
    for place in range(places):
        with contextlib.suppress(BlockingIOError):
            # Left open, hence locked, until the process ends, however it does.
            lock(folder / f"worker-{place}.lock", wait=False)
            return place
    return None
