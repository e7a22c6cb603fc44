"""Writers on one machine wait in line: SQLite's own waiting, a sleep that grows, lets some starve.

A lock on one file (flock, which the kernel grants in the order of asking) around each writing transaction; within a
process a thread asks for it, writer by writer, since a blocking flock can't be given up and a writer's patience ends.
It only orders the writers: what keeps them apart is still SQLite's BEGIN IMMEDIATE, whoever else opens the database.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Generic, TypeVar

from .file_lock import lock

T = TypeVar("T")


class QueueTimeout(TimeoutError):
    """The line didn't move for as long as a writer waits."""


class Handover:
    """What one thread waits for and another does. Whoever claims it first decides: to do it, or to give up.

    By two plain locks, where a Future has a condition, which is taken, waited for and taken again: threads that all
    wait for Python would pass it from one to the other.
    """

    def __init__(self) -> None:
        self._claimed, self._undone = threading.Lock(), threading.Lock()
        self._undone.acquire()

    def claim(self) -> bool:
        """False where the other one has decided."""
        return self._claimed.acquire(blocking=False)

    def end(self) -> None:
        """Once, by who has claimed it and done it."""
        self._undone.release()

    def wait(self, patience: float) -> bool:
        """Until it is done; False, and given up, where nobody has claimed it within `patience` seconds."""
        if self._undone.acquire(timeout=patience):
            return True
        if self.claim():
            return False
        return self._undone.acquire()


class Turn:
    """A writer's place in the line."""

    def __init__(self) -> None:
        self._handover = Handover()
        self._over = threading.Event()
        self._error: OSError | None = None
        self._ticket: int | None = None

    def wait(self, patience: float) -> None:
        """Until the turn comes. Raises QueueTimeout, or what kept the file from being locked."""
        if not self._handover.wait(patience):
            raise QueueTimeout
        if self._error is not None:
            raise self._error

    def come(self, ticket: int | None, error: OSError | None = None) -> bool:
        """Wake the writer, whose the lock is now; False if it has gone meanwhile."""
        self._ticket, self._error = ticket, error
        if not self._handover.claim():
            return False
        self._handover.end()
        return True

    def end(self) -> None:
        # By the writer itself: the next one may be of another process, and waits for this thread alone.
        if self._ticket is not None:
            os.close(self._ticket)  # gives the lock up
            self._ticket = None
        self._over.set()

    def last(self) -> None:
        """Until the writer has ended its turn."""
        self._over.wait()


class Line(Generic[T]):
    """What waits for a thread of its own, which is started when it is first needed, and anew in a forked process."""

    def __init__(self, serve: Callable[[SimpleQueue[T]], None], *, name: str) -> None:
        self._serve, self._name = serve, name
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self.waiting: SimpleQueue[T] = SimpleQueue()

    def put(self, one: T) -> None:
        """Raises OSError where no thread can be started."""
        self._start_thread()
        self.waiting.put(one)

    def _start_thread(self) -> None:
        with self._starting:
            # A forked process has none either.
            if self._thread is not None and self._thread.is_alive():
                return
            self.waiting = SimpleQueue()
            thread = threading.Thread(target=self._serve, args=(self.waiting,), daemon=True, name=self._name)
            try:
                thread.start()
            except RuntimeError as error:
                raise OSError(f"no thread for the writers: {error}") from None
            self._thread = thread


class WriterQueue:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = Line(self._serve, name="writers")

    def enter(self, *, patience: float) -> Turn:
        """Wait `patience` seconds at most for one's turn, to be ended with end().

        Raises QueueTimeout, or OSError if the file can't be had.
        """
        turn = Turn()
        self._line.put(turn)
        turn.wait(patience)
        return turn

    def enter_for_good(self) -> Turn:
        """The same for a thread that has all the time in the world. Raises OSError if the file can't be had."""
        turn = Turn()
        turn.come(lock(self._path))
        return turn

    def _serve(self, line: SimpleQueue[Turn]) -> None:
        while True:
            turn = line.get()
            try:
                ticket = lock(self._path)
            except OSError as error:
                turn.come(None, error)
                continue
            if not turn.come(ticket):
                turn.end()
            turn.last()
