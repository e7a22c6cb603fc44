"""Codes to print: read back by a reader, whole or worn, at the size that was asked for."""

import io
import re

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from microsite.campaigns.qr import Poster
from microsite.sharing.cards import font_file

ADDRESS = "https://www.ecole.example/c/salon-2026"


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def _poster(*, width_mm: int = 40, label: str = "www.ecole.example/c/salon-2026") -> Poster:
    return Poster(address=ADDRESS, label=label, width_mm=width_mm, font=font_file(500))


def _rasterised(svg: str) -> tuple[Image.Image, int]:
    """The code of the SVG, ten dots a module, as a printer would fill its path; and its modules a side."""
    side, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0])
    picture = Image.new("L", (side * 10, height * 10), 255)
    pen = ImageDraw.Draw(picture)
    for left, top, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        box = (int(left) * 10, int(top) * 10, (int(left) + int(length)) * 10 - 1, int(top) * 10 + 9)
        pen.rectangle(box, 0)
    return picture, side


def test_png_is_read_back_and_sharp_enough_to_print() -> None:
    picture = Image.open(io.BytesIO(_poster(width_mm=55).png()))

    found = zxingcpp.read_barcodes(picture)

    assert [(code.text, code.ec_level in "MQH") for code in found] == [(ADDRESS, True)]
    dots, _ = picture.info["dpi"]
    assert dots >= 300
    assert picture.width / dots * 25.4 == pytest.approx(55, abs=0.1)


def test_svg_is_read_back_and_has_a_size_in_millimetres() -> None:
    svg = _poster(width_mm=55).svg().decode()

    picture, side = _rasterised(svg)

    code = zxingcpp.read_barcodes(picture)[0]
    assert (code.text, code.ec_level in "MQH") == (ADDRESS, True)
    assert f'width="55mm" height="{round(55 * (side + 4) / side, 2)}mm"' in svg
    assert ">www.ecole.example/c/salon-2026</text>" in svg


def test_quiet_zone_is_four_modules_wide_on_each_side() -> None:
    picture, side = _rasterised(_poster().svg().decode())

    dark = picture.point(lambda grey: 255 - grey).getbbox()

    assert dark == (40, 40, side * 10 - 40, side * 10 - 40)


def test_worn_code_is_still_read() -> None:
    picture = Image.open(io.BytesIO(_poster().png()))
    # A sticker a fifth as wide as the code, in its middle.
    side, fifth = picture.width, picture.width // 10
    ImageDraw.Draw(picture).rectangle((side // 2 - fifth, side // 2 - fifth, side // 2 + fifth, side // 2 + fifth), 255)

    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [ADDRESS]


def test_label_can_be_chosen_and_stays_within_the_code() -> None:
    poster = _poster(label="Salon de l’Étudiant & <Cie> " + "W" * 30)
    picture = Image.open(io.BytesIO(poster.png()))

    assert "&amp; &lt;Cie&gt; WWW" in poster.svg().decode()
    strip = picture.crop((0, picture.width, picture.width, picture.height)).point(lambda grey: 255 - grey).getbbox()
    assert strip is not None
    assert strip[0] > 0
    assert strip[2] < picture.width
