"""A QR code to be printed: the code, its quiet zone, and a line under it for who can't read codes.

ISO/IEC 18004: a quiet zone of four modules; error correction M or more, which mends 15 % of a worn or dirty code.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from PIL import ImageFont

_QUIET = 4
_DOTS_PER_INCH = 300
_MM_PER_INCH = 25.4
# In modules: the height of the label's strip, of its letters, and where they stand.
_STRIP, _LETTERS, _BASELINE = 4, 2.4, 1.6
# An average letter's width, in letters' heights: what a printer's own font is assumed to need.
_LETTER_WIDTH = 0.55


@dataclass(frozen=True, kw_only=True)
class Poster:
    """What is printed: `width_mm` is the code's with its quiet zone, `font` the label's as a TrueType file."""

    address: str
    label: str
    width_mm: int
    font: Path

    @cached_property
    def _rows(self) -> list[bytes]:
        # Loaded by whoever draws one.
        import segno

        # Micro codes, which a short address could do with, aren't read by telephones.
        code = segno.make_qr(self.address, error="m")
        return [bytes(row) for row in code.matrix_iter(border=_QUIET)]

    @property
    def _side(self) -> int:
        return len(self._rows)

    def svg(self) -> bytes:
        """In millimetres, black on white; the label is text in a printer's own font, shrunk to the width if need be."""
        side, height = self._side, self._side + _STRIP
        width, tall = self.width_mm, round(self.width_mm * height / side, 2)
        path = "".join(f"M{left} {top}h{length}v1h-{length}z" for left, top, length in self._runs())
        room = side - 2 * _QUIET
        size = min(_LETTERS, room / (len(self.label) * _LETTER_WIDTH))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{tall}mm" '
            f'viewBox="0 0 {side} {height}">'
            f'<path fill="#fff" d="M0 0h{side}v{height}H0z"/><path d="{path}" shape-rendering="crispEdges"/>'
            f'<text x="{side / 2}" y="{side + _BASELINE}" text-anchor="middle" font-size="{size:.2f}" '
            f'font-family="Familjen Grotesk, Arial, Helvetica, sans-serif">{escape(self.label)}</text></svg>\n'
        ).encode()

    def png(self) -> bytes:
        """At 300 dots an inch or a few more: a module is a whole number of dots."""
        from PIL import Image, ImageDraw

        scale = ceil(self.width_mm / _MM_PER_INCH * _DOTS_PER_INCH / self._side)
        picture = Image.new("L", (self._side * scale, (self._side + _STRIP) * scale), 255)
        pen = ImageDraw.Draw(picture)
        for left, top, length in self._runs():
            pen.rectangle((left * scale, top * scale, (left + length) * scale - 1, (top + 1) * scale - 1), 0)
        place = (picture.width / 2, (self._side + _BASELINE) * scale)
        pen.text(place, self.label, 0, self._letters(scale), anchor="ms")
        dots = self._side * scale / self.width_mm * _MM_PER_INCH
        file = io.BytesIO()
        picture.save(file, "PNG", dpi=(dots, dots), optimize=True)
        return file.getvalue()

    def _letters(self, scale: int) -> "ImageFont.FreeTypeFont":
        from PIL import ImageFont

        font = ImageFont.truetype(self.font, _LETTERS * scale)
        excess = font.getlength(self.label) / ((self._side - 2 * _QUIET) * scale)
        return font if excess <= 1 else ImageFont.truetype(self.font, _LETTERS * scale / excess)

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """Left, top and length of each stretch of dark modules."""
        for top, row in enumerate(self._rows):
            for is_dark, run in groupby(range(len(row)), key=row.__getitem__):
                modules = list(run)
                if is_dark:
                    yield modules[0], top, len(modules)
