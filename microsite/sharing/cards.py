"""The picture that goes with a shared link: a title card cut by a projector's beam, drawn when it is asked for.

Drawn once a version by a process of its own, this file run as a program: what it takes, 28 MB, the process that serves
would keep. Hence no import of the project's.
"""

import hashlib
import io
import json
import subprocess
import sys
import threading
from dataclasses import asdict, astuple, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

# Open Graph's usual 1.91 to 1, which no network crops.
WIDTH, HEIGHT = 1200, 630

_FONTS = Path(__file__).resolve().parent / "fonts"
_INK, _GREY, _SOFT, _WHITE, _LIGHT = "#0e0f11", "#54585e", "#c9ccc9", "#f3f3ef", "#ffc72e"
_HEAVY, _MEDIUM = 700, 500
# Round and slanted shapes are drawn this much larger and then reduced, since Pillow doesn't smooth their edges.
_SCALE = 4
_LAMP = (1052, 124)
_BEAM = ((548, 650), (1108, 650))
_LEFT, _TITLE_BASELINE, _TITLE_WIDTH, _TITLE_HEIGHT = 84, 492, 1000, 352
_LARGEST, _SMALLEST = 120, 10
# Seconds; one takes less than one.
_TIME_OUT = 30
_drawing = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Card:
    """What stands on a card: the title large, the school's name above it, a line below."""

    title: str
    name: str
    line: str

    @property
    def version(self) -> str:
        """Changes with what is drawn and with how it is drawn."""
        digest = hashlib.sha256("\n".join(astuple(self)).encode())
        digest.update(_look())
        return digest.hexdigest()[:12]


def draw(card: Card) -> bytes:
    """Return a PNG of WIDTH × HEIGHT pixels. One at a time: those who ask meanwhile find it drawn."""
    with _drawing:
        return _draw_elsewhere(card)


@lru_cache(maxsize=32)
def _draw_elsewhere(card: Card) -> bytes:
    command, words = [sys.executable, "-I", __file__], json.dumps(asdict(card)).encode()
    done = subprocess.run(command, input=words, stdout=subprocess.PIPE, check=True, timeout=_TIME_OUT)  # noqa: S603  # this file
    return done.stdout


def _draw(card: Card) -> bytes:
    """White on black, and ink on the light wherever the beam falls."""
    from PIL import Image

    lit, dark = (_draw_side(card, is_lit=is_lit) for is_lit in (True, False))
    picture = Image.composite(lit, dark, _draw_beam())
    file = io.BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


@cache
def _look() -> bytes:
    return b"".join(path.read_bytes() for path in (Path(__file__), font_file(_HEAVY), font_file(_MEDIUM)))


def _draw_side(card: Card, *, is_lit: bool) -> "Image.Image":
    from PIL import Image, ImageDraw

    ground, ink, soft, grey = (_LIGHT, _INK, _INK, _INK) if is_lit else (_INK, _WHITE, _SOFT, _GREY)
    side = Image.new("RGB", (WIDTH, HEIGHT), ground)
    side.paste(grey, mask=_draw_leader())
    pen = ImageDraw.Draw(side)
    _draw_corners(pen, ink)
    pen.text((_LEFT, 112), card.name, ink, _font(_HEAVY, 60), anchor="ls")
    _write_title(pen, card.title, ink)
    pen.text((_LEFT, 562), card.line, soft, _font(_MEDIUM, 26), anchor="ls")
    return side


@cache
def _draw_beam() -> "Image.Image":
    """Where the light falls, from the lamp down."""
    from PIL import Image, ImageDraw

    beam = Image.new("L", (WIDTH * _SCALE, HEIGHT * _SCALE), 0)
    pen = ImageDraw.Draw(beam)
    pen.polygon([(x * _SCALE, y * _SCALE) for x, y in (_LAMP, *_BEAM)], fill=255)
    x, y = _LAMP
    pen.circle((x * _SCALE, y * _SCALE), 18 * _SCALE, fill=255)
    return beam.reduce(_SCALE)


@cache
def _draw_leader() -> "Image.Image":
    """The circles and the cross of a film leader, around the lamp."""
    from PIL import Image, ImageDraw

    leader = Image.new("L", (WIDTH * _SCALE, HEIGHT * _SCALE), 0)
    pen = ImageDraw.Draw(leader)
    x, y = (value * _SCALE for value in _LAMP)
    arm = 88 * _SCALE
    for radius in (70, 52):
        pen.circle((x, y), radius * _SCALE, outline=255, width=3 * _SCALE)
    pen.line([(x, y - arm), (x, y + arm)], 255, 2 * _SCALE)
    pen.line([(x - arm, y), (x + arm, y)], 255, 2 * _SCALE)
    return leader.reduce(_SCALE)


def _draw_corners(pen: "ImageDraw.ImageDraw", ink: str) -> None:
    """What a viewfinder frames."""
    for x, right in ((36, 1), (WIDTH - 36, -1)):
        for y, down in ((36, 1), (HEIGHT - 36, -1)):
            pen.line([(x, y + 40 * down), (x, y), (x + 40 * right, y)], ink, 4, joint="curve")


def _write_title(pen: "ImageDraw.ImageDraw", title: str, ink: str) -> None:
    size, lines = _fit(title)
    for number, line in enumerate(reversed(lines)):
        pen.text((_LEFT, _TITLE_BASELINE - number * size), line, ink, _font(_HEAVY, size), anchor="ls")


def _fit(title: str) -> tuple[int, list[str]]:
    """The largest letters for which there is room, and lines of about the same length."""
    for size in range(_LARGEST, _SMALLEST, -2):
        font = _font(_HEAVY, size)
        lines = _wrap(title, font, _TITLE_WIDTH)
        if len(lines) * size <= _TITLE_HEIGHT and max(map(font.getlength, lines)) <= _TITLE_WIDTH:
            break
    narrower = (_wrap(title, font, width) for width in range(_TITLE_WIDTH // 2, _TITLE_WIDTH, 10))
    return size, next((balanced for balanced in narrower if len(balanced) == len(lines)), lines)


def _wrap(text: str, font: "ImageFont.FreeTypeFont", width: float) -> list[str]:
    lines = [""]
    # Plain spaces alone: what French no-break spaces hold together stays so.
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@cache
def _font(weight: int, size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont

    return ImageFont.truetype(font_file(weight), size)


def font_file(weight: int) -> Path:
    return _FONTS / f"familjen-grotesk-{weight}.ttf"


if __name__ == "__main__":
    sys.stdout.buffer.write(_draw(Card(**json.load(sys.stdin))))
