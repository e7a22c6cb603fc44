"""Reading rows in batches and writing them: flat memory, and a file that is never half there."""

import csv
import io
import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.orm import Session

from .columns import Writing, heading
from .sheets import Sheet

# Rows read at once; each batch is a read of its own, so that a long export holds no writer up.
BATCH = 2000


def find_rows(session: Session, sheet: Sheet) -> Sequence[int]:
    """Ids of what the sheet holds, in order. Filters are asked once, and not for each batch anew: eight bytes a row.

    Ends the session's transaction. What is submitted later is left for the next export.
    """
    found = array("q")
    for ids in session.scalars(sheet.ids.execution_options(yield_per=BATCH)).partitions():
        found.extend(ids)
    session.rollback()
    return found


def write_csv(session: Session, stream: BinaryIO, sheet: Sheet, ids: Sequence[int], writing: Writing) -> Iterator[int]:
    """Write heading and rows to a binary stream; yields the number of rows written so far, batch by batch.

    Ends the session's transaction between batches.
    """
    text = io.TextIOWrapper(stream, encoding=writing.dialect.encoding, newline="")
    try:
        writer = csv.writer(text, delimiter=writing.dialect.delimiter, lineterminator="\r\n")
        writer.writerow([heading(column, writing.dialect) for column in sheet.columns])
        written = 0
        for start in range(0, len(ids), BATCH):
            rows = session.execute(sheet.rows_of(ids[start : start + BATCH])).all()
            session.rollback()
            writer.writerows([column.write(row, writing) for column in sheet.columns] for row in rows)
            written += len(rows)
            yield written
        text.flush()
    finally:
        # The stream stays open: it is the caller's.
        text.detach()


@contextmanager
def file_when_complete(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path`, readable by its owner alone, that takes its place once all is written.

    If anything fails the file that was there stays as it was. Raises OSError.
    """
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
