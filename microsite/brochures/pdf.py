"""Whether a file is a whole PDF: by its structure, not its name (ISO 32000-2, section 7.5)."""

import os
import re
from typing import BinaryIO

_HEADER = re.compile(rb"%PDF-[12]\.\d")
# The file's last lines: where its table of objects begins, then the end. Readers look for them in the last KiB.
_END = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF\s*\Z")
# What stands there: a table, or an object that holds one (7.5.4, 7.5.8).
_TABLE = re.compile(rb"\s*(?:xref\b|\d{1,10}\s+\d{1,5}\s+obj\b)")
_TAIL = 1024


class NotPdf(ValueError):
    """Something else, or cut off."""


def check_pdf(file: BinaryIO) -> None:
    """Reads its beginning, its end and where the end points at. Raises NotPdf."""
    size = file.seek(0, os.SEEK_END)
    header = _read(file, 0, 8)
    # Zeros and line ends that a transfer or a printer's program leaves behind do no harm.
    end = _END.search(_read(file, max(0, size - _TAIL), _TAIL).rstrip(b"\0\r\n\t "))
    if _HEADER.match(header) is None or end is None:
        raise NotPdf
    table = int(end[1])
    if table >= size or _TABLE.match(_read(file, table, 40)) is None:
        raise NotPdf


def _read(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)
