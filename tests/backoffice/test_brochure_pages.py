"""A new brochure is uploaded, given at once, counted by version, and one click from an older one."""

import io
import stat
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfWriter
from sqlalchemy import select

from microsite.backoffice.brochure import LIMIT
from microsite.backoffice.models import AuditEntry, Role
from microsite.brochures.models import BrochureDownload
from microsite.content_files import SHIPPED
from microsite.db import db

from ..answers import BROCHURE
from ..brochures.files import locked
from ..conftest import Environ
from ..page import CheckedClient, Page
from .conftest import Desk

PATH = "/admissions/brochure"
SPECIMEN = (SHIPPED / "brochure.pdf").read_bytes()


def pdf(words: str) -> bytes:
    """A blank page, with a title that makes it one of its own."""
    writer, written = PdfWriter(), io.BytesIO()
    writer.add_blank_page(595, 842)
    writer.add_metadata({"/Title": words})
    writer.write(written)
    return written.getvalue()


def upload(client: CheckedClient, content: bytes, **answers: str) -> Page:
    values: dict[str, Any] = client.page(PATH).form(PATH).filled(**answers)
    values["pdf"] = (io.BytesIO(content), "brochure.pdf")
    answer = client.post(PATH, data=values, content_type="multipart/form-data")
    # The test client's own file, behind a large body.
    answer.request.environ["wsgi.input"].close()
    return Page(answer)


def _link(client: CheckedClient, email: str = "zoe@exemple.fr") -> str:
    sent = client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"email": email})
    return next(link for link in client.follow(sent).links() if "/telecharger/" in link)


def _given(client: CheckedClient, link: str) -> bytes:
    with client.get(link) as answer:
        assert answer.mimetype == "application/pdf"
        return bytes(answer.data)


def _choose(client: CheckedClient, version: int, page: Page | None = None) -> Page:
    shown = page or client.page(PATH)
    return client.send(shown.form(f"{PATH}/{version}/choix"))


def _rows(page: Page) -> list[list[str]]:
    return [[" ".join(cell.text().split()) for cell in row.css("th, td")] for row in page.tree.css("tbody tr")]


def test_new_version_is_given_at_once_by_links_that_were_sent_before(desk: Desk, client: CheckedClient) -> None:
    link, new = _link(client), pdf("2027")
    assert _given(client, link) == SPECIMEN

    staff = desk(Role.ADMINISTRATOR)
    page = staff.follow(upload(staff, new, note="Rentrée 2027"))

    assert "c’est elle qui est donnée" in page.text
    assert "Camille (administrator), Rentrée 2027" in page.text
    assert _given(client, link) == new


def test_downloads_are_counted_by_version(desk: Desk, client: CheckedClient, app: Flask) -> None:
    staff, first, second = desk(Role.ADMISSIONS), _link(client), _link(client, "lea@exemple.fr")
    _given(client, first)
    upload(staff, pdf("un"))
    for link in (first, first, second):
        _given(client, link)
    upload(staff, pdf("deux"))
    _given(client, second)

    rows = _rows(staff.page(PATH))

    assert [row[2:] for row in rows] == [
        ["1", "1", "Donnée aujourd’hui"],
        ["2", "3", "Donner celle-ci"],
        ["1", "1", "Donner celle-ci"],
    ]
    with app.app_context():
        versions = list(db.session.scalars(select(BrochureDownload.version_id).order_by(BrochureDownload.id)))
    assert versions == [None, 1, 1, 1, 2]


def test_older_version_is_one_click_away_and_so_is_the_specimen(desk: Desk, client: CheckedClient, app: Flask) -> None:
    staff, link = desk(Role.ADMISSIONS), _link(client)
    for words in ("un", "deux"):
        upload(staff, pdf(words))

    staff.follow(_choose(staff, 1))
    assert _given(client, link) == pdf("un")
    staff.follow(_choose(staff, 0))
    assert _given(client, link) == SPECIMEN
    staff.follow(_choose(staff, 2))
    assert _given(client, link) == pdf("deux")

    with app.app_context():
        noted = db.session.execute(select(AuditEntry.action, AuditEntry.subject_id).order_by(AuditEntry.id)).all()
        assert [tuple(row) for row in noted[1:]] == [("brochure added", 1), ("brochure added", 2), *(("brochure chosen", number) for number in (1, 0, 2))]  # fmt: skip


def test_second_person_to_choose_is_told_and_changes_nothing(desk: Desk, client: CheckedClient) -> None:
    staff, other, link = desk(Role.ADMISSIONS), desk(Role.ADMINISTRATOR), _link(client)
    upload(staff, pdf("un"))
    late = other.page(PATH)
    upload(staff, pdf("deux"))

    told = other.follow(_choose(other, 0, late))

    assert "entre-temps" in told.text
    assert _given(client, link) == pdf("deux")


def test_version_is_kept_for_its_owner_under_the_name_of_its_content(desk: Desk, environ: Environ) -> None:
    upload(desk(Role.ADMISSIONS), pdf("un"))

    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "brochures"
    (file,) = folder.iterdir()
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)
    assert file.read_bytes() == pdf("un")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "n’est pas un PDF entier"),
        (b"<html>%PDF-1.7 startxref 0 %%EOF", "n’est pas un PDF entier"),
        (b"%PDF-1.7\nstartxref\n0\n%%EOF\n", "n’est pas un PDF entier"),  # its end points at its header
        (b"%PDF-1.7\nstartxref\n99999\n%%EOF\n", "n’est pas un PDF entier"),
        (SPECIMEN[:-200], "n’est pas un PDF entier"),  # cut off
        (SPECIMEN[:4000], "n’est pas un PDF entier"),
        (SPECIMEN + b"%" * (LIMIT - len(SPECIMEN) + 1), "dépasse 25 Mo"),
    ],
    ids=["empty", "html", "nowhere", "beyond", "tail", "head", "large"],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_is_no_whole_pdf_is_refused(desk: Desk, content: bytes, said: str) -> None:
    staff = desk(Role.ADMISSIONS)

    refused = upload(staff, content, note="gardée")

    assert refused.status == 422
    assert said in refused.errors()["pdf"]
    assert refused.form(PATH).values["note"] == "gardée"
    assert len(_rows(refused)) == 1


@pytest.mark.parametrize("content", [SPECIMEN, SPECIMEN + b"\r\n\0\0\0", pdf("un")], ids=["typst", "trailed", "table"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_whole_pdf_is_taken(desk: Desk, content: bytes) -> None:
    assert upload(desk(Role.ADMISSIONS), content).status == 303


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_pdf_that_asks_for_a_password_is_refused_and_says_which_fault(desk: Desk) -> None:
    staff = desk(Role.ADMISSIONS)

    refused = upload(staff, locked(SPECIMEN, user="secret"), note="gardée")

    assert refused.status == 422
    assert "demande un mot de passe" in refused.errors()["pdf"]
    assert refused.form(PATH).values["note"] == "gardée"


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n"], ids=["bom", "crlf"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_pdf_with_bytes_before_and_after_is_taken_as_it_is(desk: Desk, client: CheckedClient, before: bytes) -> None:
    link, content = _link(client), before + SPECIMEN + b"<!-- served in 0.2 s -->"

    assert upload(desk(Role.ADMISSIONS), content).status == 303
    assert _given(client, link) == content


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_pdf_in_the_folder_that_nobody_could_open_is_told_and_not_given(
    desk: Desk, client: CheckedClient, app: Flask, environ: Environ
) -> None:
    link, own = _link(client), Path(environ["MICROSITE_INSTANCE_PATH"]) / "brochure.pdf"
    own.write_bytes(locked(SPECIMEN, user="secret"))

    assert _given(client, link) == SPECIMEN
    assert "n’est pas donné : ce PDF demande un mot de passe" in desk(Role.ADMISSIONS).page(PATH).text.replace(
        "\u00a0", " "
    ).replace("\u202f", " ")
    checked = app.test_cli_runner().invoke(args=["ops", "check"]).output
    assert f"Brochure : un spécimen est donné, et non {own} : ce PDF demande un mot de passe" in checked

    own.write_bytes(locked(SPECIMEN, user="", owner="secret"))
    assert _given(client, link) == own.read_bytes()
    assert "Brochure" not in app.test_cli_runner().invoke(args=["ops", "check"]).output


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_form_without_a_file_says_so(desk: Desk) -> None:
    staff = desk(Role.ADMISSIONS)

    assert staff.send(staff.page(PATH).form(PATH)).errors() == {"pdf": "Choisissez un fichier PDF."}


def test_same_file_twice_is_told(desk: Desk) -> None:
    staff = desk(Role.ADMISSIONS)
    upload(staff, pdf("un"))

    refused = upload(staff, pdf("un"))

    assert (refused.status, len(_rows(refused))) == (422, 2)
    assert "déjà l’une des versions" in refused.errors()["pdf"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_no_other_form_takes_a_large_body(desk: Desk) -> None:
    client = desk(Role.ADMINISTRATOR)

    assert client.post("/admissions/equipe", data={"name": "x" * 200_000}).status_code == 413
    assert client.post("/brochure", data={"first_name": "x" * 200_000}).status_code == 413


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_large_file_of_somebody_who_may_not_is_not_even_read(desk: Desk, client: CheckedClient) -> None:
    body = b"x" * 1_000_000

    assert client.post(PATH, data=body, content_type="multipart/form-data; boundary=x").status_code == 303
    assert desk(Role.MARKETING).post(PATH, data=body, content_type="multipart/form-data; boundary=x").status_code == 403


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_lost_file_is_told_and_the_one_before_is_given(desk: Desk, client: CheckedClient, environ: Environ) -> None:
    staff, link = desk(Role.ADMISSIONS), _link(client)
    upload(staff, pdf("un"))
    next((Path(environ["MICROSITE_INSTANCE_PATH"]) / "brochures").iterdir()).unlink()

    assert _given(client, link) == SPECIMEN
    page = staff.page(PATH)
    assert "manque" in page.text
    assert "Donnée aujourd’hui" not in page.text
    assert staff.get(f"{PATH}/1/fichier").status_code == 404


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_staff_see_each_version_without_counting_as_readers(desk: Desk, app: Flask) -> None:
    staff = desk(Role.ADMISSIONS)
    upload(staff, pdf("un"))

    assert _given(staff, f"{PATH}/1/fichier") == pdf("un")
    assert _given(staff, f"{PATH}/0/fichier") == SPECIMEN
    with app.app_context():
        assert db.session.scalars(select(BrochureDownload)).all() == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_cover_of_the_specimen_is_not_shown_for_the_school_s_own(desk: Desk, client: CheckedClient) -> None:
    assert "brochure.avif" in client.page("/brochure").html

    upload(desk(Role.ADMISSIONS), pdf("un"))

    assert "brochure.avif" not in client.page("/brochure").html


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_is_content_with_an_uploaded_brochure(desk: Desk, app: Flask, environ: Environ) -> None:
    def findings() -> str:
        return app.test_cli_runner().invoke(args=["ops", "check"]).output

    assert "un spécimen est donné" in findings()
    upload(desk(Role.ADMISSIONS), pdf("un"))
    assert "Brochure" not in findings()
    next((Path(environ["MICROSITE_INSTANCE_PATH"]) / "brochures").iterdir()).unlink()
    assert "le fichier de la version choisie manque" in findings()
