"""Run by pdf.py in a process of its own: read a PDF from standard input and write what is wrong with it, or « whole ».

Imports nothing of the project, so that it starts quickly.
"""

import contextlib
import re
import resource
import sys
import zlib

import pypdfium2
import pypdfium2.raw

_MEMORY = 2 * 1024**3
_SECONDS = 20
# Where readers look for the header (ISO 32000-1, annex H): a byte order mark or a line end may stand before it.
_BEFORE_HEADER = 1024
_HEADER = b"%PDF-"
# Where the table of objects begins (ISO 32000-2, 7.5.5), and the end behind it; comments may stand between.
_START_OF_TABLE = re.compile(rb"startxref\s+(\d{1,10})(?!\d)")
_END = re.compile(rb"(?:\s|%[^\r\n]*[\r\n])*%%EOF")
# What stands there: a table, or an object that holds one (7.5.4, 7.5.8).
_TABLE = re.compile(rb"\s*(?:xref\b|\d{1,10}\s+\d{1,5}\s+obj\b)")
# How an update goes on (7.5.6), at the beginning of a line or right behind the end: a dictionary, another whole
# object, a table. Text that speaks of objects has none.
_UPDATE = re.compile(
    rb"(?:[\r\n]|%%EOF)\s*(?:\d{1,10}\s+\d{1,5}\s+obj\s*(?:<<\s*(?:[/>%]|\Z)|[^<>]{0,200}\bendobj|\Z)|xref\s+\d+\s+\d+\s)"
)
# A stream behind its dictionary (7.3.8). Text transfers double the carriage return.
_STREAM = re.compile(rb"<<((?:(?!endobj|stream).){0,4000}?)>>\s*stream\r*\n", re.DOTALL)
_INFLATED = re.compile(rb"/Filter\s*\[?\s*/Fl(?:ateDecode)?\b")
_BINARY = re.compile(rb"/Filter\s*\[?\s*/(?!A)")
_LENGTH = re.compile(rb"/Length\s+(\d{1,10})(?!\d|\s+\d+\s+R)")
_END_OF_STREAM = re.compile(rb"\s*endstream")
# Where zeros may stand: inside streams, and between an end and the update behind it.
_MAY_HOLD_ZEROS = re.compile(rb"stream\r*\n.*?endstream|%%EOF[\s\0]*", re.DOTALL)
# A block of a disk or of a transfer that was never filled.
_LOST_BLOCK = b"\0" * 512
# Bytes.
_ZLIB_HEADER, _CHUNK = 2, 1 << 16

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
    end = _find_end(content, start)
    # Servers and transfers leave bytes behind the end; an update there has a later end, which is missing.
    if end is None or _UPDATE.search(content, end.end()):
        return "cut"
    try:
        # As Chromium does, without a password; the owner's, which limits printing, isn't asked for.
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        return _FAULTS.get(error.err_code, "damaged")
    if not len(document):
        return "pageless"
    return "whole" if _loads_every_page(document) and _holds_all(content, start, end, document) else "damaged"


def _find_end(content: bytes, start: int) -> re.Match[bytes] | None:
    """Find the last startxref that leads to a table, or stands before an end: readers need one of them."""
    at = len(content)
    while (at := content.rfind(b"startxref", 0, at)) >= 0:
        end = _START_OF_TABLE.match(content, at)
        if end and (_leads_to_table(content, start, end) or _END.match(content, end.end())):
            return end
    return None


def _leads_to_table(content: bytes, start: int, end: re.Match[bytes]) -> bool:
    # Counted from the beginning of the file, or from the header.
    return any(_TABLE.match(content, at, at + 40) for at in (int(end[1]), start + int(end[1])))


def _loads_every_page(document: pypdfium2.PdfDocument) -> bool:
    """Whether each page can be read: counting trusts what the document says of itself."""
    try:
        for number in range(len(document)):
            document[number].close()
    except pypdfium2.PdfiumError:
        return False
    return True


def _holds_all(content: bytes, start: int, end: re.Match[bytes], document: pypdfium2.PdfDocument) -> bool:
    """Whether what the pages are drawn from is there: PDFium leaves out what it can't read, and says nothing."""
    if _LOST_BLOCK in _MAY_HOLD_ZEROS.sub(b"", content[start : end.start()]):
        return False
    is_encrypted = pypdfium2.raw.FPDF_GetSecurityHandlerRevision(document) >= 0
    has_table = _leads_to_table(content, start, end)
    for stream in _STREAM.finditer(content, start, end.start()):
        if _INFLATED.search(stream[1]) and not is_encrypted:
            if not _inflates(content, stream.end()):
                return False
        elif not has_table and not _has_its_length(content, stream):
            return False
    return True


def _has_its_length(content: bytes, stream: re.Match[bytes]) -> bool:
    """Whether bytes that a transfer as text would change are as many as said, where the dictionary itself says it."""
    length = _LENGTH.search(stream[1])
    if length is None or not _BINARY.search(stream[1]):
        return True
    return _END_OF_STREAM.match(content, stream.end() + int(length[1])) is not None


def _inflates(content: bytes, at: int) -> bool:
    """Inflate what begins here up to its own end (RFC 1951), for its length may stand elsewhere; it may be empty.

    Of its header and its checksum (RFC 1950) readers look at neither, and some programs write a wrong one.
    """
    if _END_OF_STREAM.match(content, at):
        return True
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    at += _ZLIB_HEADER
    try:
        while at < len(content) and not unpacker.eof:
            unpacker.decompress(content[at : at + _CHUNK])
            at += _CHUNK
    except zlib.error:
        return False
    return unpacker.eof


if __name__ == "__main__":
    for limit, value in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CPU, _SECONDS)):
        # A system that lets no process limit itself still has pdf.py's time-out.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))
    sys.stdout.write(judge(sys.stdin.buffer.read()))
