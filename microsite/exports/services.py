"""Reading rows in batches and writing them: flat memory, and a file that is never half there."""

import codecs
import csv
import io
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile, mkstemp
from typing import IO, BinaryIO

from sqlalchemy.orm import Session

from .columns import Writing, heading
from .dialects import Dialect
from .sheets import Sheet

# Rows read at once; each batch is a read of its own, so that a long export holds no writer up.
BATCH = 500
_FOUND_AT_ONCE = 2000
_ID_BYTES = array("q").itemsize
# Bytes of ids that need no file.
_IN_MEMORY = 2**20


class FoundRows:
    """Ids of rows, in order; beyond a megabyte they lie in a file, so that memory is the same for any number."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, ids: Sequence[int]) -> None:
        self._file.write(array("q", ids).tobytes())
        self._count += len(ids)

    def batches(self) -> Iterator[Sequence[int]]:
        self._file.seek(0)
        while ids := self._file.read(BATCH * _ID_BYTES):
            yield array("q", ids).tolist()


@contextmanager
def found_rows(session: Session, sheet: Sheet) -> Iterator[FoundRows]:
    """What the sheet holds. Filters are asked once, and not for each batch anew. Raises OSError.

    Ends the session's transaction. What is submitted later is left for the next export.
    """
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        found = FoundRows(file)
        for ids in session.scalars(sheet.ids.execution_options(yield_per=_FOUND_AT_ONCE)).partitions():
            found.extend(ids)
        session.rollback()
        yield found


def write_csv(session: Session, stream: BinaryIO, sheet: Sheet, rows: FoundRows, writing: Writing) -> Iterator[int]:
    """Write heading and rows to a binary stream; yields the number of rows written so far, batch by batch.

    Ends the session's transaction between batches.
    """
    dialect = writing.dialect
    encoder = codecs.getincrementalencoder(dialect.encoding)()
    stream.write(encoder.encode(_in_csv([[heading(column, dialect) for column in sheet.columns]], dialect)))
    some_rows, written = sheet.some_rows(), 0
    for ids in rows.batches():
        found = session.connection().execute(some_rows, {"ids": ids})
        names, lines = found.keys(), found.all()
        session.rollback()
        if lines:
            values = dict(zip(names, zip(*lines, strict=True), strict=True))
            cells = [column.write(values, writing) for column in sheet.columns]
            stream.write(encoder.encode(_in_csv(zip(*cells, strict=True), dialect)))
        written += len(lines)
        yield written


def _in_csv(lines: Iterable[Iterable[str]], dialect: Dialect) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=dialect.delimiter, lineterminator="\r\n").writerows(lines)
    return text.getvalue()


@contextmanager
def file_when_complete(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path`, readable by its owner alone, that takes its place once all is written.

    If anything fails the file that was there stays as it was. Raises OSError.
    """
    handle, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
