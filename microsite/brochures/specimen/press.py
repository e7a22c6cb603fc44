"""From words to PDF: what the typst template is handed, and what comes out. Needs requirements-dev.txt."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any

import segno
import typst
from PIL import Image

from ...school import UNDECIDED, School
from ...web.typography import french
from .words import PAGE_COUNT, Words

_ROOM = Path(__file__).resolve().parent
# Twice the size at which the form shows it.
PREVIEW_SIZE = (480, 679)
_POINTS_PER_INCH = 72
_A4_WIDTH = 595.28
_INK = "#0e0f11"


class PressError(Exception):
    """The template and its words don't make eight pages; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """`glossary` are terms and definitions; `address` is where the QR code leads, `https://…`."""

    school: School
    words: Words
    glossary: Sequence[tuple[str, str]]
    address: str


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A tagged PDF (PDF/UA-1), and its first page as AVIF."""

    pdf: bytes
    preview: bytes


def print_specimen(specimen: Specimen) -> Printed:
    """The same specimen gives the same bytes. Raises PressError."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_ROOM / "fonts"])
    given = json.dumps(_given(specimen), ensure_ascii=False)
    press = typst.Compiler(_ROOM / "specimen.typ", root=_ROOM, font_paths=fonts, sys_inputs={"given": given})
    issued = datetime.combine(specimen.words.issued, time(), tzinfo=UTC)
    try:
        pdf = press.compile(format="pdf", pdf_standards="ua-1", timestamp=issued)
        pages = press.compile(format="png", ppi=2 * _POINTS_PER_INCH * PREVIEW_SIZE[0] / _A4_WIDTH)
    except typst.TypstError as error:
        raise PressError(error.message) from None
    if not isinstance(pdf, bytes) or not isinstance(pages, list) or len(pages) != PAGE_COUNT:
        raise PressError(f"{PAGE_COUNT} pages attendues : un texte est trop long pour la sienne")
    return Printed(pdf=pdf, preview=_avif(pages[0]))


def _avif(png: bytes) -> bytes:
    small = Image.open(BytesIO(png)).convert("RGB").resize(PREVIEW_SIZE, Image.Resampling.LANCZOS)
    output = BytesIO()
    # Full colour resolution: yellow next to black blurs without it.
    small.save(output, "AVIF", quality=65, subsampling="4:4:4", speed=6)
    return output.getvalue()


def _given(specimen: Specimen) -> dict[str, Any]:
    school, issued = specimen.school, specimen.words.issued
    said = {
        "pages": specimen.words.pages,
        "school": {"name": school.name, "strapline": school.strapline, "city": school.city}
        | {"programmes": _decided(school.programmes), "intakes": _decided(school.intakes)},
        "glossary": [{"term": term, "definition": definition} for term, definition in specimen.glossary],
        "contacts": [
            {"name": "Adresse", "text": school.contacts["address"]},
            {"name": "Téléphone", "text": school.contacts["phone"]},
            {"name": "Adresse e-mail", "text": school.contacts["email"]},
        ],
    }
    return {key: _typeset(value) for key, value in said.items()} | {
        "issued": {"year": issued.year, "month": issued.month, "day": issued.day},
        "founded": school.founded,
        "code": _code(specimen.address),
    }


def _decided(choices: Mapping[str, str]) -> list[str]:
    return [label for key, label in choices.items() if key != UNDECIDED]


def _typeset(value: Any) -> Any:
    """Every text of it with French spaces and apostrophes."""
    if isinstance(value, str):
        return french(value)
    if isinstance(value, Mapping):
        return {key: _typeset(inner) for key, inner in value.items()}
    return [_typeset(inner) for inner in value]


def _code(address: str) -> dict[str, str]:
    drawing = BytesIO()
    segno.make_qr(address, error="m").save(drawing, kind="svg", border=0, dark=_INK, light=None, xmldecl=False)
    shown = address.partition("://")[2]
    return {"svg": drawing.getvalue().decode(), "address": address, "shown": shown, "alt": f"Code QR : {shown}"}
