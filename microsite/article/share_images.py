"""The picture that an article's front matter may name in place of the drawn title card."""

from dataclasses import dataclass

from ..content_files import Folders, Table
from ..web.typography import french

# What social networks read, and the least that they show large.
_FORMATS = ("JPEG", "PNG")
_LEAST_WIDTH, _LEAST_HEIGHT = 600, 315


@dataclass(frozen=True, kw_only=True)
class ShareImage:
    image: str
    alt: str
    width: int
    height: int


def load_share_image(folders: Folders, table: Table) -> ShareImage:
    """Measured from the file itself. Raises ContentError."""
    image = table.text("image", limit=100)
    width, height = _measure(folders, image) or (0, 0)
    if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
        least = f"{_LEAST_WIDTH} × {_LEAST_HEIGHT} pixels au moins"
        raise table.error("image", f"une image JPEG ou PNG du dossier media, de {least} ; « {image} » n’en est pas une")
    own = ShareImage(image=image, alt=french(table.text("alt")), width=width, height=height)
    table.finish()
    return own


def _measure(folders: Folders, image: str) -> tuple[int, int] | None:
    from PIL import Image

    path = folders.find(f"media/{image}") if "/" not in image else None
    if path is None:
        return None
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            return picture.size
    except (OSError, Image.DecompressionBombError):
        return None
