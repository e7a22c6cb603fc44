"""Writers on one machine wait in line: SQLite's own waiting, a sleep that grows, lets some starve.

A lock on one file (flock) around each writing transaction, within a process a lock among its threads. It only
orders the writers: what keeps them apart is still SQLite's BEGIN IMMEDIATE, whoever else opens the database.
"""

import fcntl
import os
import threading
import time
from pathlib import Path

# Seconds between two looks at the file's lock; one thread a process looks.
_PACE = 0.001


class QueueTimeout(TimeoutError):
    """The line didn't move for as long as a writer waits."""


class WriterQueue:
    def __init__(self, path: Path, *, patience: float) -> None:
        """`patience` in seconds."""
        self._path = path
        self._patience = patience
        self._threads = threading.Lock()

    def enter(self) -> int:
        """Wait for one's turn; the ticket goes to leave(). Raises QueueTimeout, or OSError if the file can't be had."""
        deadline = time.monotonic() + self._patience
        if not self._threads.acquire(timeout=self._patience):
            raise QueueTimeout
        try:
            return self._lock_file(deadline)
        except BaseException:
            self._threads.release()
            raise

    def leave(self, ticket: int) -> None:
        os.close(ticket)  # closing gives the lock up
        self._threads.release()

    def _lock_file(self, deadline: float) -> int:
        # Opened anew each time: a descriptor inherited by a forked process would share its lock.
        ticket = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(ticket, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise QueueTimeout from None
                    time.sleep(_PACE)
                else:
                    return ticket
        except BaseException:
            os.close(ticket)
            raise
