"""campaigns add, list, link and qr: refusals that say what to do, and codes that a reader reads."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
import zxingcpp
from flask import Flask
from PIL import Image, ImageDraw

ADD = ["campaigns", "add", "salon-2026", "--name", "Salon", "--source", "Affiche", "--medium", "QR"]
SITE = "https://www.ecole.example"


def add(app: Flask, code: str, *options: str) -> None:
    arguments = ["campaigns", "add", code, "--name", "Salon", "--source", "Affiche", "--medium", "QR", *options]
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output


WARNING = "Attention : sans MICROSITE_PUBLIC_URL, cette adresse ne mène qu’à cette machine.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["campaigns", "add", "Salon", *ADD[3:]], "« Salon » : attendu des lettres minuscules sans accent"),
        (["campaigns", "add", "salon--2026", *ADD[3:]], "comme salon-2026"),
        (["campaigns", "add", "s" * 61, *ADD[3:]], "60 au plus"),
        (["campaigns", "add", "été", *ADD[3:]], "sans accent"),
        (ADD[:-2], "Missing option '--medium'"),
        ([*ADD, "--source", " "], "attendu un texte lisible de 1 à 200 caractères"),
        ([*ADD, "--target", "brochures"], "'brochures' is not one of"),
        ([*ADD, "--starts", "2026-02-30"], "n’est pas une date"),
        ([*ADD, "--starts", "2026-11-30", "--ends", "2026-11-01"], "--starts doit venir avant --ends"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_wrong_campaign_is_refused_and_not_added(app: Flask, arguments: list[str], said: str) -> None:
    result = app.test_cli_runner().invoke(args=arguments)

    assert result.exit_code == 2
    assert said in result.stderr
    assert app.test_cli_runner().invoke(args=["campaigns", "list"]).output == "Aucune campagne.\n"


def test_code_that_is_taken_is_refused(app: Flask) -> None:
    add(app, "salon-2026")

    again = app.test_cli_runner().invoke(args=ADD)

    assert again.exit_code == 1
    assert again.stderr == "Error: le code salon-2026 est déjà celui d’une campagne.\n"


def test_added_campaign_is_told_with_its_addresses(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_PUBLIC_URL=SITE)
    arguments = [*ADD, "--content", "Affiche A3", "--target", "brochure"]

    added = app.test_cli_runner().invoke(args=arguments)

    addresses = (
        f"Courte   : {SITE}/c/salon-2026\n"
        f"Complète : {SITE}/brochure?utm_source=affiche&utm_medium=qr&utm_campaign=salon-2026&utm_content=Affiche+A3\n"
    )
    assert added.output == f"Ajoutée : Salon\n{addresses}"
    assert app.test_cli_runner().invoke(args=["campaigns", "link", "SALON-2026"]).output == addresses


def test_campaigns_are_listed_and_those_that_have_ended_marked(app: Flask) -> None:
    add(app, "toujours", "--content", "A3")
    add(app, "finie", "--starts", "2026-10-01", "--ends", "15/10/2026", "--target", "open-day")
    add(app, "dernier-jour", "--ends", "2026-10-16", "--note", "hall 4")

    # A quarter of an hour before midnight in Paris.
    with time_machine.travel("2026-10-16T21:45:00+00:00", tick=False):
        listed = app.test_cli_runner().invoke(args=["campaigns", "list"]).output

    assert listed.splitlines() == [
        "dernier-jour  Salon  (hall 4)",
        "    … - 16/10/2026  affiche / qr → article",
        "toujours  Salon",
        "    sans date  affiche / qr / A3 → article",
        "finie [terminée]  Salon",
        "    01/10/2026 - 15/10/2026  affiche / qr → open-day",
    ]


@pytest.mark.parametrize("command", [["link"], ["qr", "--output", "x.svg"]])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_unknown_code_is_told(app: Flask, command: list[str]) -> None:
    result = app.test_cli_runner().invoke(args=["campaigns", *command, "salon-2062"])

    assert result.exit_code == 1
    assert result.stderr == "Error: aucune campagne n’a le code salon-2062 ; campaigns list les montre.\n"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_addresses_of_this_machine_come_with_a_warning(app: Flask, tmp_path: Path) -> None:
    add(app, "salon-2026")

    link = app.test_cli_runner().invoke(args=["campaigns", "link", "salon-2026"])
    code = app.test_cli_runner().invoke(args=["campaigns", "qr", "salon-2026", "--output", str(tmp_path / "x.svg")])

    assert (link.exit_code, link.stderr) == (0, WARNING)
    assert (code.exit_code, code.stderr) == (0, WARNING)


def _draw(app: Flask, path: Path, *options: str) -> bytes:
    result = app.test_cli_runner().invoke(args=["campaigns", "qr", "salon-2026", "--output", str(path), *options])
    assert result.exit_code == 0, result.output
    assert result.output == f"Écrit : {path}, qui mène à {SITE}/c/salon-2026\n"
    return path.read_bytes()


@pytest.fixture
def public_app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(MICROSITE_PUBLIC_URL=SITE)
    add(app, "salon-2026")
    return app


def _rasterised(svg: str) -> tuple[Image.Image, int]:
    """The code of the SVG, ten dots a module, as a printer would fill its path; and its modules a side."""
    side, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0])
    picture = Image.new("L", (side * 10, height * 10), 255)
    pen = ImageDraw.Draw(picture)
    for left, top, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        box = (int(left) * 10, int(top) * 10, (int(left) + int(length)) * 10 - 1, int(top) * 10 + 9)
        pen.rectangle(box, 0)
    return picture, side


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_png_is_read_back_and_sharp_enough_to_print(public_app: Flask, tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(_draw(public_app, tmp_path / "salon.png", "--width", "55")))

    found = zxingcpp.read_barcodes(picture)

    assert [(code.text, code.ec_level in "MQH") for code in found] == [(f"{SITE}/c/salon-2026", True)]
    dots, _ = picture.info["dpi"]
    assert dots >= 300
    assert picture.width / dots * 25.4 == pytest.approx(55, abs=0.1)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_svg_is_read_back_and_has_a_size_in_millimetres(public_app: Flask, tmp_path: Path) -> None:
    svg = _draw(public_app, tmp_path / "salon.svg", "--width", "55").decode()

    picture, side = _rasterised(svg)

    code = zxingcpp.read_barcodes(picture)[0]
    assert (code.text, code.ec_level in "MQH") == (f"{SITE}/c/salon-2026", True)
    assert f'width="55mm" height="{round(55 * (side + 4) / side, 2)}mm"' in svg
    assert ">www.ecole.example/c/salon-2026</text>" in svg


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_quiet_zone_is_four_modules_wide_on_each_side(public_app: Flask, tmp_path: Path) -> None:
    picture, side = _rasterised(_draw(public_app, tmp_path / "salon.svg").decode())

    dark = picture.point(lambda grey: 255 - grey).getbbox()

    assert dark == (40, 40, side * 10 - 40, side * 10 - 40)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_worn_code_is_still_read(public_app: Flask, tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(_draw(public_app, tmp_path / "salon.png")))
    # A sticker a fifth as wide as the code, in its middle.
    side, fifth = picture.width, picture.width // 10
    ImageDraw.Draw(picture).rectangle((side // 2 - fifth, side // 2 - fifth, side // 2 + fifth, side // 2 + fifth), 255)

    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [f"{SITE}/c/salon-2026"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_label_can_be_chosen_and_stays_within_the_code(public_app: Flask, tmp_path: Path) -> None:
    label = "Salon de l’Étudiant & <Cie> " + "W" * 30
    svg = _draw(public_app, tmp_path / "salon.svg", "--label", label).decode()
    picture = Image.open(io.BytesIO(_draw(public_app, tmp_path / "salon.png", "--label", label)))

    assert "&amp; &lt;Cie&gt; WWW" in svg
    strip = picture.crop((0, picture.width, picture.width, picture.height)).point(lambda grey: 255 - grey).getbbox()
    assert strip is not None
    assert strip[0] > 0
    assert strip[2] < picture.width


@pytest.mark.parametrize(
    ("name", "said"), [("code.pdf", "finit par .svg ou .png"), ("no/such/folder/code.svg", "impossible d’écrire")]
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_file_that_cannot_be_drawn_is_told(public_app: Flask, tmp_path: Path, name: str, said: str) -> None:
    result = public_app.test_cli_runner().invoke(
        args=["campaigns", "qr", "salon-2026", "--output", str(tmp_path / name)]
    )

    assert result.exit_code in (1, 2)
    assert said in result.stderr
