"""make brochure: the specimen that is given until the school's own brochure is there."""

import re
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import Destination

from microsite.cli.brochure import PREVIEW, build
from microsite.content_files import SHIPPED

from ..answers import complete_school
from ..conftest import Environ

EMPTY_PLACE = "[à compléter"
A4 = (595, 842)
WITHOUT_EMPTY_PLACES = {1, 3}  # the cover; the trades, which are those of cinema as such


@pytest.fixture
def engine_name() -> str:
    """The command reads no database."""
    return "sqlite"


@pytest.fixture
def shipped() -> PdfReader:
    return PdfReader(SHIPPED / "brochure.pdf")


def _text(reader: PdfReader) -> str:
    return _one_line(" ".join(page.extract_text() for page in reader.pages))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _links(reader: PdfReader) -> list[str]:
    annotations = [note.get_object() for page in reader.pages for note in page.get("/Annots", [])]
    return [note["/A"]["/URI"] for note in annotations if "/A" in note]


def _size(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as image:
        return image.size


def _own_words(environ: Environ, old: str, new: str) -> None:
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content"
    folder.mkdir(exist_ok=True)
    text = (SHIPPED / "brochure.toml").read_text()
    assert old in text
    (folder / "brochure.toml").write_text(text.replace(old, new))


def test_shipped_specimen_is_what_the_command_makes_of_the_contents(app: Flask, tmp_path: Path) -> None:
    pdf, preview = tmp_path / "brochure.pdf", tmp_path / "cover.avif"

    result = app.test_cli_runner().invoke(build, args=["--output", str(pdf), "--preview", str(preview)])

    assert result.exit_code == 0, result.output
    again = "the contents have changed: run make brochure"
    assert pdf.read_bytes() == (SHIPPED / "brochure.pdf").read_bytes(), again
    assert _size(preview) == _size(PREVIEW) == (480, 679)


def test_cover_on_the_form_is_light() -> None:
    assert PREVIEW.stat().st_size <= 12_000


def test_specimen_is_eight_tagged_a4_pages_with_bookmarks(shipped: PdfReader) -> None:
    assert [(round(page.mediabox.width), round(page.mediabox.height)) for page in shipped.pages] == [A4] * 8
    chapters = [entry.title for entry in shipped.outline if isinstance(entry, Destination)]
    assert chapters == [
        "ÉSEC",
        "L’école",
        "Les métiers",
        "Les formations",
        "Une année",
        "L’IA dans les études",
        "Candidater",
        "Nous rencontrer",
    ]
    root: Any = shipped.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "fr-FR"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    metadata = root["/Metadata"].get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert shipped.metadata is not None
    assert (shipped.metadata.title, shipped.metadata.author) == ("ÉSEC, brochure (spécimen)", "ÉSEC")
    assert (SHIPPED / "brochure.pdf").stat().st_size < 2_000_000


def test_every_page_says_that_it_is_a_specimen(shipped: PdfReader) -> None:
    assert all("Spécimen" in page.extract_text() for page in shipped.pages)
    assert "L’école n’en a encore ni écrit ni validé le contenu" in _one_line(shipped.pages[0].extract_text())


def test_what_the_school_has_not_said_is_an_empty_place(shipped: PdfReader) -> None:
    for number, page in enumerate(shipped.pages, start=1):
        assert (EMPTY_PLACE in page.extract_text()) == (number not in WITHOUT_EMPTY_PLACES), f"page {number}"


def test_specimen_invents_no_address_number_or_price(shipped: PdfReader) -> None:
    text = _text(shipped)

    for place in ("adresse postale", "téléphone", "adresse e-mail des admissions"):
        assert f"{EMPTY_PLACE} : {place}]" in text
    assert not re.search(r"@|€|\brue\b|\b75\d{3}\b|\b0\d([ .]?\d\d){4}\b", text)
    assert _links(shipped) == ["https://esec.edu"]


def test_contents_of_the_school_fill_the_empty_places(
    make_app: Callable[..., Flask], environ: Environ, tmp_path: Path
) -> None:
    complete_school(Path(environ["MICROSITE_INSTANCE_PATH"]))
    _own_words(environ, "[à compléter : prochaines dates]", "Le samedi 6 février 2027 : venez !")
    app = make_app(MICROSITE_PUBLIC_URL="https://www.ecole.example")
    pdf = tmp_path / "new" / "brochure.pdf"

    result = app.test_cli_runner().invoke(build, args=["--output", str(pdf)])

    assert result.output == f"Écrit : {pdf} ({pdf.stat().st_size / 1000:.0f} Ko)\n"
    page = _one_line(PdfReader(BytesIO(pdf.read_bytes())).pages[7].extract_text())
    assert "Le samedi 6 février 2027 : venez !" in page
    assert "[rempli : adresse postale]" in page
    assert EMPTY_PLACE not in page
    assert _links(PdfReader(pdf)) == ["https://www.ecole.example/portes-ouvertes"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "Brochure"', 'sort = "Brochure"', "brochure.toml, clé « cover.kind » : cette clé manque"),
        ('kind = "Brochure"', 'kind = "Brochure"\nsort = 1', "brochure.toml, clé « cover.sort » : clé inconnue"),
        ('issued = "2026-11-02"', 'issued = "hier"', "clé « issued » : une date comme 2027-01-31"),
        (
            'lead = "Le cinéma',
            f'lead = "{"Encore et encore. " * 22}Le cinéma',
            "8 pages attendues : un texte est trop long",
        ),
    ],
)
def test_mistake_in_the_words_is_told_in_one_line(
    app: Flask, environ: Environ, tmp_path: Path, old: str, new: str, told: str
) -> None:
    _own_words(environ, old, new)

    result = app.test_cli_runner().invoke(build, args=["--output", str(tmp_path / "brochure.pdf")])

    assert result.exit_code == 1
    assert told in result.output
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "brochure.pdf").exists()


def test_missing_typst_is_told_with_the_way_to_install_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    monkeypatch.delitem(sys.modules, "microsite.brochures.specimen.press", raising=False)

    result = app.test_cli_runner().invoke(build, args=[])

    assert result.exit_code == 1
    assert "« typst » n’est pas installé ; lancez pip install -r requirements-dev.txt" in result.output


def test_place_that_cannot_be_written_is_told(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    result = app.test_cli_runner().invoke(build, args=["--output", str(tmp_path / "file" / "b.pdf")])

    assert result.exit_code == 1
    assert "ne peut pas être écrit" in result.output
