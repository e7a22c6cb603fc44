"""A registration's QR code: read back by a reader, and leading to a page that says the same to everyone."""

import io
import logging
import re
from collections.abc import Callable

import pytest
import zxingcpp
from flask import Flask
from PIL import Image, ImageDraw
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from microsite.open_days.codes import check_in_png, check_in_svg

from ..answers import BROCHURE, export, only, plan_slot
from ..page import CheckedClient

SITE = "https://www.ecole.example"
ADDRESS = f"{SITE}/admissions/accueil/JPO-7F3K9Q"
_DOTS = 4


@pytest.fixture
def public_app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(MICROSITE_PUBLIC_URL=SITE)


def _rasterised(svg: str) -> Image.Image:
    """Four dots a module, the strokes drawn as a browser does: each half a module above and below its line."""
    drawing = HTMLParser(svg).css_first("svg")
    assert drawing is not None
    ground, strokes = drawing.css("path")
    side = int(str(drawing.attributes["viewBox"]).split()[2])
    assert ground.attributes == {"fill": "#fff", "d": f"M0 0h{side}v{side}h-{side}z"}
    assert strokes.attributes["stroke"] == "#000"
    picture = Image.new("L", (side * _DOTS, side * _DOTS), 255)
    pen, x, y = ImageDraw.Draw(picture), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", str(strokes.attributes["d"])):
        by = [float(number) for number in numbers.split()]
        if command == "h":
            pen.rectangle((x * _DOTS, (y - 0.5) * _DOTS, (x + by[0]) * _DOTS - 1, (y + 0.5) * _DOTS - 1), 0)
            x += by[0]
        else:
            x, y = (by[0], by[1]) if command == "M" else (x + by[0], y + by[1])
    return picture


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_both_pictures_are_read_back_as_the_address_of_the_check_in(public_app: Flask) -> None:
    with public_app.app_context():
        svg, png = check_in_svg("JPO-7F3K9Q"), check_in_png("JPO-7F3K9Q")

    for picture in (Image.open(io.BytesIO(png)), _rasterised(svg)):
        code = only(zxingcpp.read_barcodes(picture.convert("L")))
        assert (code.text, code.ec_level in "MQH") == (ADDRESS, True)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_code_is_dark_on_white_with_four_modules_around_it(public_app: Flask) -> None:
    with public_app.app_context():
        svg, png = check_in_svg("JPO-7F3K9Q"), check_in_png("JPO-7F3K9Q")
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    side = int(re.findall(r'viewBox="0 0 (\d+) ', svg)[0])
    module = picture.width // side

    assert {colour for _, colour in picture.getcolors() or ()} == {(0, 0, 0), (255, 255, 255)}
    dark = picture.convert("L").point(lambda grey: 255 - grey).getbbox()
    assert dark == (4 * module, 4 * module, picture.width - 4 * module, picture.height - 4 * module)
    assert "style" not in svg


def test_scanned_code_says_the_same_for_every_reference(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=5)
    client.follow(client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE, slot=slot))
    known = only(export(app))["reference"]

    pages = [client.page(f"/admissions/accueil/{reference}") for reference in (known, "JPO-222222", "rien", "é’<")]

    assert {(page.status, page.html) for page in pages} == {(200, pages[0].html)}
    assert pages[0].one("h1").text() == "Réservé à l’équipe d’accueil"
    for header, value in {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}.items():
        assert pages[0].response.headers[header] == value


def test_scanned_reference_stays_out_of_the_log_and_of_links(
    client: CheckedClient, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "microsite.access"):
        page = client.page("/admissions/accueil/JPO-7F3K9Q?utm_source=affiche")
        client.page("/admissions/accueil/JPO-7F3K9Q/")

    lines = [record.getMessage() for record in caplog.records if record.name == "microsite.access"]
    assert all(line.startswith("GET /admissions/accueil/<reference> 200") for line in lines)
    assert not [link for link in page.links() if "7F3K9Q" in link]
    form = client.page(next(link for link in page.links() if link.startswith("/portes-ouvertes?")))
    client.follow(client.send(form.form("/portes-ouvertes"), **BROCHURE))
    assert only(export(app))["landing_path"] == "/admissions/accueil"
