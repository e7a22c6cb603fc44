"""Each process that answers keeps to processors of its own.

Python runs one thread of a process at a time. Where its threads are spread over processors, each statement that reaches
SQLite hands the turn to a thread on another one, and everything that both work on follows: a third of the time.
"""

import fcntl
import os
from pathlib import Path


def settle(folder: Path, *, processes: int) -> None:
    """To be called by each of them before it starts a thread. `folder` is where they see who has settled where.

    Does nothing where there is less than a processor for each, nor where the system doesn't let it: slower, no worse.
    """
    if not hasattr(os, "sched_setaffinity"):  # macOS
        return
    try:
        processors = sorted(os.sched_getaffinity(0))
        share = len(processors) // processes
        place = _take_place(folder, processes) if share else None
        if place is not None:
            os.sched_setaffinity(0, processors[place * share : (place + 1) * share])
    except OSError:
        return


def _take_place(folder: Path, places: int) -> int | None:
    for place in range(places):
        handle = os.open(folder / f"worker-{place}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            # Left open, hence locked, until the process ends, however it does.
            return place
    return None
