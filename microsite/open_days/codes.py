"""The QR code of a registration, for the entrance: the address at which the team notes that somebody has come.

ISO/IEC 18004: dark on light with a quiet zone of four modules, whatever the scheme of what is around it; error
correction M, which a scratched or dirty screen needs.
"""

import io
from typing import TYPE_CHECKING

from markupsafe import Markup

from ..web.links import public_url

if TYPE_CHECKING:
    from segno import QRCode

# The back-office's page: only its address is needed here.
WELCOME = "backoffice.welcome"
_QUIET = 4
# Pixels a module in the picture: read from a telephone's screen, and sharp on one with three dots a pixel.
_SCALE = 8


def check_in_svg(reference: str) -> Markup:
    """For a page: as large as its box, without any style of its own."""
    drawn = _code(reference).svg_inline(border=_QUIET, dark="#000", light="#fff", omitsize=True, svgclass="qr")
    # Edges that aren't softened leave no seams between the rows.
    marks = f'<svg role="img" aria-label="QR code de l’inscription {reference}" shape-rendering="crispEdges" '
    return Markup(drawn.replace("<svg ", marks, 1))  # noqa: S704  # a reference is letters, digits and a hyphen


def check_in_png(reference: str) -> bytes:
    """For a mail: mail programs show no SVG."""
    file = io.BytesIO()
    _code(reference).save(file, kind="png", scale=_SCALE, border=_QUIET, dark="#000", light="#fff")
    return file.getvalue()


def _code(reference: str) -> "QRCode":
    # Loaded by whoever draws one.
    import segno

    # Micro codes, which a short address could do with, aren't read by telephones.
    return segno.make_qr(public_url(WELCOME, reference=reference), error="m")
