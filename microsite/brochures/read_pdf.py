"""Run by pdf.py in a process of its own: read a PDF from standard input and write what is wrong with it, or « whole ».

Imports nothing of the project, so that it starts quickly.
"""

import contextlib
import re
import resource
import sys

import pypdfium2
import pypdfium2.raw

_MEMORY = 2 * 1024**3
_SECONDS = 20
# Where readers look for the header (ISO 32000-1, annex H): a byte order mark or a line end may stand before it.
_BEFORE_HEADER = 1024
_HEADER = b"%PDF-"
# Where the table of objects begins, then the end (ISO 32000-2, 7.5.5).
_END = re.compile(rb"startxref\s+(\d{1,10})\s*%%EOF")
# What stands there: a table, or an object that holds one (7.5.4, 7.5.8).
_TABLE = re.compile(rb"\s*(?:xref\b|\d{1,10}\s+\d{1,5}\s+obj\b)")
# How an update goes on behind an end (7.5.6): at the beginning of a line, an object and its value, or a table.
_UPDATE = re.compile(rb"[\r\n]\s*(?:\d{1,10}\s+\d{1,5}\s+obj\s*(?:[<\[(/\d+.-]|true|false|null|\Z)|xref\s+\d)")

# What PDFium says; it fails without a reason where a document that it could read has no page.
_FAULTS = {
    pypdfium2.raw.FPDF_ERR_PASSWORD: "locked",
    pypdfium2.raw.FPDF_ERR_SECURITY: "protected",
    pypdfium2.raw.FPDF_ERR_SUCCESS: "pageless",
}


def judge(content: bytes) -> str:
    if not content:
        return "empty"
    start = content.find(_HEADER, 0, _BEFORE_HEADER + len(_HEADER))
    if start < 0:
        return "other"
    end = _last_end(content)
    # Servers and transfers leave bytes behind the end; an update there has a later end, which is missing.
    if end is None or _UPDATE.search(b"\n" + content[end.end() :]):
        return "cut"
    opened = _open(content)
    if opened != "damaged":
        return opened
    table = int(end[1])
    is_whole = any(_TABLE.match(content[at : at + 40]) for at in (table, start + table))
    return "whole" if is_whole else "damaged"


def _last_end(content: bytes) -> re.Match[bytes] | None:
    at = len(content)
    while (at := content.rfind(b"startxref", 0, at)) >= 0:
        if end := _END.match(content, at):
            return end
    return None


def _open(content: bytes) -> str:
    """Open it as Chromium does, without a password; the owner's, which limits printing, isn't asked for."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        return _FAULTS.get(error.err_code, "damaged")
    return "whole" if len(document) else "pageless"


if __name__ == "__main__":
    for limit, value in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CPU, _SECONDS)):
        # A system that lets no process limit itself still has pdf.py's time-out.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))
    sys.stdout.write(judge(sys.stdin.buffer.read()))
