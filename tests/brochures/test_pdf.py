"""Which PDFs people can open, and what is said of the others."""

import base64
import io
import re
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject

from microsite.brochures import pdf
from microsite.brochures.pdf import NOT_VERIFIED, NotPdf, check_pdf, find_fault
from microsite.brochures.services import is_own_unverified, own_fault, standing_file
from microsite.content_files import SHIPPED

from .files import locked

SPECIMEN = (SHIPPED / "brochure.pdf").read_bytes()
_ALGORITHMS = ("RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256")


def _plain() -> bytes:
    """One page, with a table of objects in text (section 7.5.4)."""
    writer, written = PdfWriter(), io.BytesIO()
    writer.add_blank_page(595, 842)
    writer.write(written)
    return written.getvalue()


def _updated(content: bytes) -> bytes:
    """Changed by a program that writes its changes behind the end (section 7.5.6)."""
    writer, written = PdfWriter(io.BytesIO(content), incremental=True), io.BytesIO()
    writer.add_metadata({"/Title": "Brochure"})
    writer.write(written)
    return written.getvalue()


def _linearised(content: bytes) -> bytes:
    """As a linearised file begins: an end of its own, which points nowhere, stands before most objects (annex F)."""
    head, rest = content.split(b"\n", 1)
    return head + b"\n%" + b"startxref\n0\n%%EOF\n" + rest


def _zeroed(content: bytes, start: int, end: int) -> bytes:
    """With blocks that a transfer never filled."""
    return content[:start] + b"\0" * (end - start) + content[end:]


def _drawn(filters: str = "/FlateDecode") -> bytes:
    """Five pages, each with drawings of its own, packed by these filters."""
    writer, written = PdfWriter(), io.BytesIO()
    for number in range(5):
        page = writer.add_blank_page(595, 842)
        lines = "".join(f"{at} {at * number % 97} m {at * at % 89} {at} l S\n" for at in range(1, 400))
        stream = StreamObject()
        packed = zlib.compress(lines.encode())
        stream.set_data(base64.a85encode(packed) + b"~>" if "ASCII85" in filters else packed)
        names = [NameObject(name) for name in filters.split()]
        stream[NameObject("/Filter")] = ArrayObject(names) if len(names) > 1 else names[0]
        page[NameObject("/Contents")] = writer._add_object(stream)
    writer.write(written)
    return written.getvalue()


def _scanned() -> bytes:
    """A picture on a page, which holds nothing else that is packed."""
    picture, written = io.BytesIO(), io.BytesIO()
    Image.effect_noise((200, 200), 90).save(picture, "JPEG")
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    image = StreamObject()
    image.set_data(picture.getvalue())
    names = {"/Subtype": "/Image", "/ColorSpace": "/DeviceGray", "/Filter": "/DCTDecode"}
    image.update({NameObject(key): NameObject(value) for key, value in names.items()})
    numbers = {"/Width": 200, "/Height": 200, "/BitsPerComponent": 8}
    image.update({NameObject(key): NumberObject(value) for key, value in numbers.items()})
    shown = DictionaryObject({NameObject("/I"): writer._add_object(image)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): shown})
    content = StreamObject()
    content.set_data(b"200 0 0 200 0 0 cm /I Do")
    page[NameObject("/Contents")] = writer._add_object(content)
    writer.write(written)
    return written.getvalue()


def _fault(content: bytes) -> str:
    with pytest.raises(NotPdf) as refused:
        check_pdf(io.BytesIO(content))
    return str(refused.value)


PLAIN, DRAWN, SCANNED = _plain(), _drawn(), _scanned()


@pytest.mark.parametrize("content", [SPECIMEN, PLAIN], ids=["stream", "table"])
@pytest.mark.parametrize(
    "before",
    [b"", b"\xef\xbb\xbf", b"\r\n", b"\n\n\n", b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", b"x" * 1000, b"\0" * 1024],
    ids=["nothing", "bom", "crlf", "lines", "headers", "1000", "1024"],
)
def test_bytes_before_the_header_do_no_harm(content: bytes, before: bytes) -> None:
    check_pdf(io.BytesIO(before + content))


@pytest.mark.parametrize("content", [SPECIMEN, PLAIN, _updated(SPECIMEN)], ids=["stream", "table", "updated"])
@pytest.mark.parametrize(
    "after",
    [
        b"\r\n",
        b"\0" * 4096,
        b"\x1a",
        b"<html><body>streaming an object</body></html>" * 100,
        bytes(range(256)) * 40,
        b"see 12 0 obj in text",
        b"<pre>\n12 0 obj is the page\n</pre>",
        b"\n<p>startxref, endobj</p>\n",
        b"\n1 0 obj <",
        b"\n1 0 obj <b>of two</b>\n",
        b"\r\n7 0 obj (see page 3)\n",
        b"\nxref 1",
        b"\nxref 1 of 2\n",
        b"\nstartxref 12 of 30\n",
    ],
    ids=[
        *("line", "zeros", "ctrl-z", "html", "anything", "sentence", "line-of-text", "words"),
        *("less-than", "tag", "brackets", "table", "count", "startxref"),
    ],
)
def test_bytes_after_the_end_do_no_harm(content: bytes, after: bytes) -> None:
    check_pdf(io.BytesIO(content + after))


@pytest.mark.parametrize("content", [SPECIMEN, PLAIN, DRAWN, _updated(SPECIMEN)], ids=["a", "b", "c", "updated"])
@pytest.mark.parametrize(
    "end",
    [b"%%EO", b"%%E", b"%%", b"", b"% made by hand\n%%EOF\n", b"%\r\n% two\r\n\r\n%%EOF", b"%%EOG\n"],
    ids=["a-byte", "two", "three", "all", "comment", "comments", "other"],
)
def test_end_that_misses_bytes_behind_its_number_does_no_harm(content: bytes, end: bytes) -> None:
    check_pdf(io.BytesIO(content.rstrip()[: -len(b"%%EOF")] + end))


@pytest.mark.parametrize("content", [SPECIMEN, PLAIN, DRAWN, SCANNED], ids=["stream", "table", "drawn", "scanned"])
@pytest.mark.parametrize("number", [b"0", b"1", b"99", b"9999999"])
def test_whole_document_is_found_without_its_table(content: bytes, number: bytes) -> None:
    """As readers do, which look for the objects themselves."""
    check_pdf(io.BytesIO(re.sub(rb"startxref\s+\d+", b"startxref\n" + number, content)))


def test_empty_stream_is_whole() -> None:
    writer, written = PdfWriter(), io.BytesIO()
    page = writer.add_blank_page(100, 100)
    empty = StreamObject()
    empty[NameObject("/Filter")] = NameObject("/FlateDecode")
    page[NameObject("/Contents")] = writer._add_object(empty)
    writer.write(written)

    check_pdf(io.BytesIO(written.getvalue()))


@pytest.mark.parametrize("content", [SPECIMEN, PLAIN, DRAWN], ids=["stream", "table", "drawn"])
@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"], ids=["bare", "bom"])
def test_document_that_no_reader_opens_is_damaged_whatever_its_table_says(content: bytes, prefix: bytes) -> None:
    for broken in (_zeroed(content, 20, content.index(b"xref")), content.replace(b"/Root", b"/Rxxt")):
        assert "il est abîmé" in _fault(prefix + broken)


@pytest.mark.parametrize(
    "content",
    [SPECIMEN, DRAWN, SCANNED, locked(SPECIMEN, user="", owner="x"), locked(DRAWN, user="", algorithm="RC4-128")],
    ids=["specimen", "drawn", "scanned", "owner", "owner-rc4"],
)
@pytest.mark.parametrize(
    "sent",
    [
        lambda content: content.decode("latin-1").encode(),
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.replace(b"\0", b""),
    ],
    ids=["utf-8", "crlf", "no-zeros"],
)
def test_transfer_as_text_damages(content: bytes, sent: Callable[[bytes], bytes]) -> None:
    assert "il est abîmé" in _fault(sent(content))


@pytest.mark.parametrize("content", [SPECIMEN, DRAWN], ids=["specimen", "drawn"])
def test_changed_bytes_that_move_nothing_damage_too(content: bytes) -> None:
    for changed in (content.replace(b"\r", b"\n"), bytes(byte & 0x7F for byte in content)):
        assert "il est abîmé" in _fault(changed)


@pytest.mark.parametrize("content", [PLAIN, _drawn("/ASCII85Decode /FlateDecode")], ids=["blank", "ascii"])
def test_transfer_as_text_leaves_a_document_of_text_whole(content: bytes) -> None:
    check_pdf(io.BytesIO(content.replace(b"\n", b"\r\n")))


@pytest.mark.parametrize("content", [SPECIMEN, DRAWN], ids=["specimen", "drawn"])
@pytest.mark.parametrize(("start", "end"), [(1 / 3, 2 / 3), (0.2, 0.6), (0.4, 0.45), (0.5, 0.8)])
def test_document_whose_middle_is_missing_is_damaged(content: bytes, start: float, end: float) -> None:
    first, last = int(len(content) * start), int(len(content) * end)

    assert "il est abîmé" in _fault(content[:first] + content[last:])
    assert "il est abîmé" in _fault(_zeroed(content, first, last))


def test_block_of_zeros_over_whole_streams_is_damaged() -> None:
    """Each page is still there; what is drawn on it is gone."""
    objects = [found.start() for found in re.finditer(rb"\d+ 0 obj\n<<\n/Filter", DRAWN)]

    assert "il est abîmé" in _fault(_zeroed(DRAWN, objects[1], objects[2]))


def test_offsets_may_count_what_stands_before_the_header() -> None:
    start = re.search(rb"startxref\s+(\d+)", PLAIN)
    assert start is not None
    moved = PLAIN.replace(start[0], b"startxref\n%d" % (int(start[1]) + 3))

    check_pdf(io.BytesIO(b"\xef\xbb\xbf" + moved))


@pytest.mark.parametrize("content", [SPECIMEN, PLAIN], ids=["stream", "table"])
@pytest.mark.parametrize("algorithm", _ALGORITHMS)
def test_password_to_open_is_refused_and_the_owner_s_isn_t(content: bytes, algorithm: str) -> None:
    assert "demande un mot de passe" in _fault(locked(content, user="été", algorithm=algorithm))
    assert "demande un mot de passe" in _fault(
        b"\r\n" + locked(content, user="x", owner="y", algorithm=algorithm) + b"\0\0"
    )

    check_pdf(io.BytesIO(locked(content, user="", owner="secret", algorithm=algorithm)))


def test_certificate_is_refused_as_such() -> None:
    secured = locked(PLAIN, user="x", algorithm="RC4-128").replace(b"/Filter /Standard", b"/Filter /Adobe.PubSec")

    assert "réservé à certaines personnes" in _fault(secured)


@pytest.mark.parametrize("content", [SPECIMEN, PLAIN, _linearised(PLAIN)], ids=["stream", "table", "linearised"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.97])
def test_file_that_is_cut_off_says_that_its_end_is_missing(content: bytes, kept: float) -> None:
    assert "sa fin manque" in _fault(content[: int(len(content) * kept)])


@pytest.mark.parametrize("content", [SPECIMEN, PLAIN], ids=["stream", "table"])
@pytest.mark.parametrize("kept", [0.3, 0.5, 0.9])
def test_update_that_is_cut_off_says_so_too(content: bytes, kept: float) -> None:
    updated = _updated(content)

    assert "sa fin manque" in _fault(updated[: len(content) + int((len(updated) - len(content)) * kept)])


def _pageless(pdf_version: str) -> bytes:
    writer, written = PdfWriter(), io.BytesIO()
    writer.pdf_header = f"%PDF-{pdf_version}"
    writer.write(written)
    return written.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        _pageless("1.3"),
        _pageless("2.0"),
        b"\r\n" + _pageless("1.7"),
        _pageless("1.7") + b"\0" * 100,
        _updated(_pageless("1.7")),
    ],
    ids=["1.3", "2.0", "line", "zeros", "updated"],
)
def test_document_without_a_page_is_refused(content: bytes) -> None:
    assert _fault(content) == "ce PDF n’a aucune page. Exportez-le de nouveau"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "il est vide"),
        (b"<!doctype html><title>Brochure</title>", "son début n’est pas celui d’un PDF"),
        (b"PK\x03\x04" + b"\0" * 3000, "son début n’est pas celui d’un PDF"),
        (b"x" * 1025 + SPECIMEN, "son début n’est pas celui d’un PDF"),
        (b"%PDF-1.7\n%%EOF\n", "sa fin manque"),
        (b"%PDF-1.7\nstartxref\n0\n%%EOF\n", "il est abîmé"),
        (b"%PDF-1.7\nstartxref\n9999999999\n%%EOF\n", "il est abîmé"),
        (b"%PDF-1.7\n" + b"[" * 3_000_000 + b"\nstartxref\n9\n%%EOF\n", "il est abîmé"),
        (b"%PDF-1.7\n1 0 obj" + b"<<" * 500_000 + b"\nstartxref\n99999999\n%%EOF\n", "il est abîmé"),
        (PLAIN[:200] + b"\0" * 400 + b"\nstartxref\n70\n%%EOF\n", "il est abîmé"),
    ],
    ids=["empty", "html", "zip", "1025", "ends", "nowhere", "beyond", "nested", "dictionaries", "zeros"],
)
def test_what_nobody_could_open_says_why(content: bytes, said: str) -> None:
    fault = _fault(content)

    assert fault.startswith("ce fichier n’est pas un PDF entier : ")
    assert said in fault


def test_endless_chains_of_tables_end() -> None:
    """/Prev that points at itself."""
    check_pdf(io.BytesIO(_looping(PLAIN)))


def test_page_that_holds_itself_is_damaged() -> None:
    """Chromium counts it, and can't show it."""
    writer, written = PdfWriter(), io.BytesIO()
    page = writer.add_blank_page(100, 100)
    page[NameObject("/Kids")] = page.indirect_reference
    writer.write(written)

    for content in (written.getvalue(), _looping(written.getvalue())):
        assert "il est abîmé" in _fault(content)


def _looping(content: bytes) -> bytes:
    table = content.rindex(b"xref\n", 0, content.rindex(b"startxref"))
    return content.replace(b"/Size", b"/Prev %d\n/Size" % table)


@pytest.mark.parametrize("stopped", ["killed", "slow", "missing"])
def test_file_that_could_not_be_judged_is_given_and_judged_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: str
) -> None:
    """The judge is a process: its interpreter is replaced by one that dies, answers nothing in time, or isn't there."""
    own = tmp_path / "brochure.pdf"
    own.write_bytes(PLAIN)
    judge = tmp_path / "python"
    judge.write_text(
        {"killed": "#!/bin/sh\nkill -9 $$\n", "slow": "#!/bin/sh\nexec sleep 60\n", "missing": ""}[stopped]
    )
    judge.chmod(0o600 if stopped == "missing" else 0o700)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(judge))
        patched.setattr(pdf, "_PATIENCE", 1)
        assert find_fault(own) == NOT_VERIFIED
        assert standing_file(tmp_path) == own
        assert own_fault(tmp_path) is None
        assert is_own_unverified(tmp_path)
        assert "n’a pas pu être vérifié" in _fault(PLAIN)

    monkeypatch.setattr(pdf, "_RETRY", 1e-6)
    assert find_fault(own) is None
    assert not is_own_unverified(tmp_path)
