"""What several threads write at the same moment shares a transaction: one commit makes it all safe.

A thread of its own runs the pieces one after the other, as if each were alone. What comes while it waits for the disk,
or for the writers of another process, makes the next group. Nobody is answered before the commit; where a piece fails,
the group is rolled back and each has a transaction to itself.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain, islice
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from .sqlite_engine import unavailable, wait_for_good

Work = Callable[[Session], Any]


@dataclass(frozen=True, kw_only=True)
class _Piece:
    work: Work
    done: "Future[Any]" = field(default_factory=Future)


class GroupCommit:
    def __init__(self, engine: Engine, *, patience: float) -> None:
        """`patience`, in seconds, is how long a piece waits for its turn."""
        self._engine, self._patience = engine, patience
        self._starting = threading.Lock()
        self._line: SimpleQueue[_Piece] = SimpleQueue()
        self._process: int | None = None

    def run(self, work: Work) -> Any:
        """What `work` gives, once that is committed; raises what it raises, or what kept it from being written.

        It runs in another thread, hence knows nothing of a request, and may run twice.
        """
        self._start_thread()
        piece = _Piece(work=work)
        self._line.put(piece)
        try:
            return piece.done.result(self._patience)
        except TimeoutError:
            if piece.done.cancel():
                raise unavailable("the writers didn't move") from None
        return piece.done.result()

    def _start_thread(self) -> None:
        with self._starting:
            # A forked process inherits no thread.
            if self._process != os.getpid():
                self._process = os.getpid()
                self._line = SimpleQueue()
                threading.Thread(target=self._serve, args=(self._line,), daemon=True, name="group commit").start()

    def _serve(self, line: SimpleQueue[_Piece]) -> None:
        wait_for_good()
        while True:
            self._write(_begun(chain([line.get()], _waiting(line))))

    def _write(self, pieces: Iterable[_Piece]) -> None:
        """One transaction for all of them, those included that come before it ends."""
        pieces, group, results = iter(pieces), [], []
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                session.connection()
                for piece in pieces:
                    group.append(piece)
                    results.append(piece.work(session))
                session.commit()
        except Exception as error:
            if len(results) < len(group) > 1:
                for piece in group:
                    self._write([piece])
                return
            # Without any, no transaction could begin: so told to one of them, and the next may have more luck.
            for piece in group or islice(pieces, 1):
                piece.done.set_exception(error)
        else:
            for piece, result in zip(group, results, strict=True):
                piece.done.set_result(result)


def _waiting(line: SimpleQueue[_Piece]) -> Iterator[_Piece]:
    while True:
        try:
            yield line.get_nowait()
        except Empty:
            return


def _begun(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """Those whose owner hasn't given up; from here on nobody does."""
    return (piece for piece in pieces if piece.done.set_running_or_notify_cancel())
