"""Write rows as CSV in batches, with flat memory, and never half a file."""

import codecs
import csv
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import IO, BinaryIO

from sqlalchemy.orm import Session

from .columns import Writing, heading
from .dialects import Dialect
from .sheets import Sheet

# Rows read and written at once.
BATCH = 500


def write_csv(session: Session, stream: IO[bytes], sheet: Sheet, writing: Writing) -> Iterator[int]:
    """Write heading and rows, and yield the number of rows written so far, batch by batch.

    One statement reads them all, within the session's transaction: none is missing or there twice, whatever is
    committed meanwhile.
    """
    dialect = writing.dialect
    encoder = codecs.getincrementalencoder(dialect.encoding)()
    stream.write(encoder.encode(_in_csv([[heading(column, dialect) for column in sheet.columns]], dialect)))
    written = 0
    found = session.connection().execute(sheet.statement(), execution_options={"yield_per": BATCH})
    names = found.keys()
    for lines in found.partitions():
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
    """Open a new file beside `path`, readable by its owner alone, that takes its place once all is written.

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
