"""What several threads write at the same moment shares a transaction: one commit makes it all safe.

A thread of its own runs the pieces one after the other, as if each were alone. What comes while it works, or waits for
the writers of other processes, joins the group; what comes during the commit makes the next one. Nobody is answered
before the commit. Where a piece fails, the group is rolled back and each runs again in a transaction of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from .sqlite_engine import unavailable, wait_for_good
from .writer_queue import Handover, Line

Work = Callable[[Session], Any]
_Ending = Callable[[], None]


class _Piece:
    """Work that its owner waits for."""

    def __init__(self, work: Work) -> None:
        self._work: Work | None = work
        self._handover = Handover()
        self._is_answered = False
        self._result: Any = None
        self._error: BaseException | None = None

    @property
    def is_given_up(self) -> bool:
        return self._work is None

    def begin(self) -> bool:
        """False where its owner has given up; once it is begun they don't."""
        return self._handover.claim()

    def wait(self, patience: float) -> Any:
        """What it gave, or raises what it raised; begun within `patience` seconds, or raises that it wasn't."""
        if not self._handover.wait(patience):
            # It stands in the line still, without anybody's data.
            self._work = None
            raise unavailable("the writers didn't move")
        if self._error is not None:
            raise self._error
        return self._result

    def run(self, session: Session) -> Any:
        """Leaves nothing to be done, and to be blamed for, to those who come after it."""
        if self._work is None:
            raise RuntimeError("who has given up is not begun")
        result = self._work(session)
        session.flush()
        session.expunge_all()
        return result

    def answer(self, result: Any = None, *, error: BaseException | None = None) -> None:
        """The first answer stays: what is kept isn't told to be lost."""
        if not self._is_answered:
            self._result, self._error, self._is_answered = result, error, True
            self._handover.end()


class GroupCommit:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._line = Line(self._serve, name="group commit")

    def run(self, work: Work, *, patience: float) -> Any:
        """What `work` gives, once that is committed; raises what it raises, or what kept it from being written.

        It waits `patience` seconds for its turn; once begun, it is waited for to its end. It runs in another thread,
        hence knows nothing of a request, and may run twice.
        """
        piece = _Piece(work)
        try:
            self._line.put(piece)
        except OSError as error:
            raise unavailable(str(error)) from None
        return piece.wait(patience)

    def _serve(self, line: SimpleQueue[_Piece]) -> None:
        wait_for_good()
        while True:
            first = line.get()
            if not first.is_given_up:
                self._write(_begun(chain([first], _waiting(line))))

    def _write(self, pieces: Iterator[_Piece]) -> None:
        """One transaction for all of them, those included that come before it ends."""
        group: list[_Piece] = []
        try:
            # As long as the connection is held the turn lasts: who has begun stands in no line again.
            with self._engine.connect() as connection:
                endings = _together(connection, pieces, group)
                if endings is None:
                    for piece in group:
                        _alone(connection, piece)
        except BaseException as error:  # whatever it is, this thread goes on, and nobody waits in vain
            # Where no transaction could begin, one of those who wait is told: the next may have more luck.
            for piece in group or islice(pieces, 1):
                piece.answer(error=unavailable(f"the writers' commit: {error!r}"))
            return
        for end in endings or ():
            end()


def _together(connection: Connection, pieces: Iterable[_Piece], group: list[_Piece]) -> list[_Ending] | None:
    """How to answer each of them, which are noted in `group`; None where one of several failed, and nothing is kept."""
    results = []
    with Session(connection, expire_on_commit=False) as session:
        session.connection()
        for piece in pieces:
            group.append(piece)
            try:
                results.append(piece.run(session))
            except BaseException as refusal:  # whatever it is, it is its owner's
                session.rollback()
                return [partial(piece.answer, error=refusal)] if len(group) == 1 else None
        session.commit()
    return [partial(piece.answer, result) for piece, result in zip(group, results, strict=True)]


def _alone(connection: Connection, piece: _Piece) -> None:
    for end in _together(connection, [piece], []) or ():
        end()


def _begun(pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """Those whose owner hasn't given up; from here on nobody does."""
    return (piece for piece in pieces if piece.begin())


def _waiting(line: SimpleQueue[_Piece]) -> Iterator[_Piece]:
    while True:
        try:
            yield line.get_nowait()
        except Empty:
            return
