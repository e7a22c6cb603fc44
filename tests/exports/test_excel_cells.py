"""Texts that Excel would change on opening the file arrive as they were typed, in each file made for it."""

import csv
import io
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from flask import Flask
from sqlalchemy import update

from microsite.campaigns.attribution import NAMES
from microsite.db import db
from microsite.exports.attendees import attendees_csv
from microsite.exports.dialects import ExcelFr, Rfc4180
from microsite.exports.excel_cells import is_rewritten
from microsite.leads.models import Lead, Submission
from microsite.open_days.models import Slot
from microsite.open_days.rosters import list_attendees

from ..answers import BROCHURE, export, only, plan_slot
from ..open_days.desk import register
from ..page import CheckedClient

NUMBERS = (
    "120210987654321098", "123456789012", "00123", "007", "0612345678", "12e3", "1E5", "1,5e3", "12E-3", "10,50", ",5",
    "5,", "1 234", "1 234,5", "75 012", "12 345 678", "1\u00a0234", "1\u202f234", "00 352 621 123 456", "-0", "+5", "5-",
    "+33612345678", "-1+1", "--5", "1 1/2", " 2026", "0" * 30,
)  # fmt: skip
DATES = (
    "2026-09", "1-2", "3/4", "1/2", "12-2026", "24/7", "13/4", "4/13", "2026/9", "26-09", "10.5", "12.05.2026",
    "12/05/2026", "1/2/3", "2026-11-30", "2026-11-30 14:30", "30/11/2026 9:00", "1 / 2", "12:30", "9:05:07", "16:9", "25:00",
)  # fmt: skip
WORDS = (
    "VRAI", "faux", "Vrai", "TRUE", "false", "1 mars", "mars 2026", "Mars2026", "12 janv. 2026", "mai-26", "1-déc", "août 2026",
    "aout 2026", "SEPT2", "dec1", "févr.-27", "lundi 12 mars 2026", "14 juillet", "Mai 68", "9 PM", "Avril 2026", "avr-26",
    "AVR5", "avr. 5", "mars\u00a02026", "sept\u202f26", "fe\u0301v 26", "aou\u0302t 26",
)  # fmt: skip
KEPT = (
    "", "Zoé", "0", "7", "2026", "75012", "12345678", "10,5", "0,25", "06 12 34 56 78", "0470 12 34 56",
    "079 123 45 67", "00 44 20 7946 0958", "1.2.3.4", "13/13", "32/45", "20/20", "18-20", "12:30-14:00", "10:00 - 12:00", "06-12-34-56-78", "2027-2028", "salon-2026", "BRO-222222", "12 rue", "e5",
    "1e2e3", "mars", "Janv", "janvier", "Marie", "Mars", "Avril Martin", "mardi", "1er mars", "vraiment", "faux ami", "3e étage",
    "12h30", "10 %", "10,50 €", "(12)", "avril.26@exemple.fr", "Avrillé 49", "v2.1", "/c/2026", "1+1", "50 rue 3", "...", "/", "Décembre", "Maison 12 bis", "c'est 3/4", "2026-09 ou 10",
)  # fmt: skip


# Left alone, though LibreOffice writes them its own way.
AMOUNTS = ("10,5", "0,25", "10 %", "10,50 €", "(12)")
# Numbers as they are kept, and their cells.
PHONES = {
    "+33612345678": "06 12 34 56 78",
    "+442079460958": "00 44 20 7946 0958",
    "+352621123456": '="00 352 621 123 456"',
    "+376312345": '="00 376 312 345"',
    "+240222123456": '="00 240 222 123 456"',
    "+237671234567": "00 237 6 71 23 45 67",
    "+351912345678": '="00 351 912 345 678"',
    "+34612345678": "00 34 612 34 56 78",
    "12345678901": '="12345678901"',
    "+5-": '="+5-"',
}
SIGNED = ("-5", "-0,5", "-12", "+33 6 12 34 56 78", "+33 1 42 34 56 78", "- ", "-.5", "-1.2.3.4")


def _cells(printed: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(printed.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.mark.parametrize("text", [*NUMBERS, *DATES, *WORDS])
def test_text_that_excel_would_change_is_a_formula_that_gives_it(text: str) -> None:
    assert ExcelFr().typed([text, "Zoé"]) == [f'="{text}"', "Zoé"]
    assert ExcelFr().typed(["Zoé", text, text]) == ["Zoé", f'="{text}"', f'="{text}"']


@pytest.mark.parametrize("text", KEPT)
def test_text_that_excel_leaves_alone_stays_bare(text: str) -> None:
    assert ExcelFr().typed([text, "00123"]) == [text, '="00123"']


@pytest.mark.parametrize(
    "text",
    [
        "=1", '="00123"', '=1&"', '00123"&A1&"', "+33 1 42 34 56 78 poste 5", "-5 %", "@12", "=12/05/2026", "\t00123", "\u200b12/05", "-mars 3",
        "+1+A1", '-1+cmd|"', "|12", "＝1", "＋33",
    ],
)  # fmt: skip
def test_formula_is_never_written_as_one(text: str) -> None:
    (written,) = ExcelFr().typed([text])

    assert written in (text, f"'{text}")
    assert not written.startswith(("=", "+", "-", "@", "\t"))


@pytest.mark.parametrize("text", SIGNED)
def test_text_of_figures_behind_a_sign_is_shown_without_an_apostrophe(text: str) -> None:
    assert ExcelFr().typed([text, "Zoé"]) == [f'="{text}"', "Zoé"]


FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
ENGLISH = "january february march april may june july august september october november december"
SEPARATORS = (" ", "-", ". ", "", "/", ", ", "\u00a0", "\u202f")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("month", [*FRENCH.split(), *ENGLISH.split(), "fevrier", "aout", "decembre"])
def test_each_month_with_a_number_is_kept_however_it_is_shortened(month: str, form: Literal["NFC", "NFD"]) -> None:
    starts = {case(month[:end]) for end in range(3, len(month) + 1) for case in (str.lower, str.upper, str.title)}
    written = [f"{start}{sign}{number}" for start in starts for sign in SEPARATORS for number in (5, 26, 2026)]
    written += [f"{number}{sign}{start}" for start in starts for sign in SEPARATORS for number in (5, 26, 2026)]
    written += [f"{day} {start} 2026" for start in starts for day in ("mardi 3", "SAM. 14", "mercredi")]
    texts = [unicodedata.normalize(form, text) for text in written]

    assert [text for text in texts if not is_rewritten(text)] == []
    assert ExcelFr().typed(texts) == [f'="{text}"' for text in texts]


@pytest.mark.parametrize("text", ["9" * 255, "9" * 256, "1 234" * 60, "12 345 " * 60])
def test_text_longer_than_a_formula_may_hold_computes_nothing(text: str) -> None:
    (written,) = ExcelFr().typed([text])

    assert len(written) <= 255 + len('=""') or not written.startswith("=")
    assert text in written


@pytest.mark.parametrize("text", [*NUMBERS, *DATES, *WORDS, *KEPT])
def test_programs_get_the_text_alone(text: str) -> None:
    assert Rfc4180().typed([text]) == [text]
    guarded = Rfc4180(guards_formulas=True).typed([text])
    assert guarded == [f"'{text}" if text.strip().startswith(("+", "-")) else text]


def _typed_everywhere(client: CheckedClient, app: Flask, text: str) -> None:
    """A brochure's request with this text in each column that comes from outside."""
    client.send(client.page("/brochure").form("/brochure"), **BROCHURE)
    names = (*NAMES, "first_name", "last_name", "programme", "level")
    answers = dict.fromkeys(("access_needs", "motivation", "intake", "guardian_name", "guardian_email"), text)
    with app.app_context():
        db.session.execute(update(Submission).values(**dict.fromkeys(names, text), answers=answers))
        db.session.commit()


@pytest.mark.parametrize("text", ["120210987654321098", "2026-09", "mars 2026"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_every_typed_column_of_the_export_is_kept(client: CheckedClient, app: Flask, text: str) -> None:
    _typed_everywhere(client, app, text)

    printed = app.test_cli_runner().invoke(args=["leads", "export"]).stdout_bytes

    row = dict(zip(*_cells(printed), strict=True))
    assert printed.count(f'"=""{text}"""'.encode()) == 18
    assert {heading for heading, cell in row.items() if cell == f'="{text}"'} == {
        "Prénom", "Nom", "Formation", "Niveau d’études", "Besoins d’accessibilité", "Rentrée", "Motivation",
        "Responsable légal", "E-mail du responsable légal", "Source", "Support", "Campagne", "Terme", "Contenu",
        "Site d’origine", "Page d’arrivée", "Article", "Site partenaire",
    }  # fmt: skip
    assert only(export(app))["utm_campaign"] == text


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_attendees_file_keeps_names_and_needs(app: Flask) -> None:
    slot = plan_slot(app, capacity=9)
    register(app, slot, "00123", access_needs="3/4")

    printed = _attendees(app, slot)

    headings, row = _cells(printed)
    found = dict(zip(headings, row, strict=True))
    assert (found["Prénom"], found["Besoins d’accessibilité"]) == ('="00123"', '="3/4"')
    assert (found["Accompagnants"], found["Nom"]) == ("0", "Martin")


def _attendees(app: Flask, slot: str) -> bytes:
    with app.app_context():
        return attendees_csv(list_attendees(db.session(), db.session.get_one(Slot, int(slot))))


def phoned(app: Flask, phone: str) -> None:
    """Give everybody this number, as if another program had brought it."""
    with app.app_context():
        db.session.execute(update(Submission).values(phone=phone))
        db.session.execute(update(Lead).values(phone=phone))
        db.session.commit()


@pytest.mark.parametrize(("phone", "cell"), PHONES.items())
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_phone_is_one_cell_that_excel_shows_as_it_is_dialled(app: Flask, phone: str, cell: str) -> None:
    slot = plan_slot(app, capacity=9)
    register(app, slot, "Zoé")
    phoned(app, phone)

    exported = app.test_cli_runner().invoke(args=["leads", "export"]).stdout_bytes
    attending = _attendees(app, slot)

    for printed in (exported, attending):
        assert dict(zip(*_cells(printed), strict=True))["Téléphone"] == cell


def _as_libreoffice_shows(folder: Path, content: bytes) -> list[list[str]]:
    """Cells as a French LibreOffice shows them, special numbers looked for as Excel does."""
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice is missing")
    (folder / "file.csv").write_bytes(content)
    reading = "CSV:59,34,76,1,,1036,false,true,false,false,false,0,true"
    writing = "csv:Text - txt - csv (StarCalc):59,34,76,1,,1036,false,true,true"
    command = [soffice, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", f"--infilter={reading}"]
    subprocess.run(
        [*command, "--convert-to", writing, "--outdir", str(folder / "shown"), str(folder / "file.csv")],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return _cells((folder / "shown" / "file.csv").read_bytes())


def test_libreoffice_shows_what_was_typed(tmp_path: Path) -> None:
    texts = [*NUMBERS, *DATES, *WORDS, *SIGNED, *(text for text in KEPT if text not in AMOUNTS)]
    lines = io.StringIO(newline="")
    rows = zip(texts, ExcelFr().typed(texts), ["x"] * len(texts), strict=True)
    csv.writer(lines, delimiter=";", lineterminator="\r\n").writerows([bare, kept, last] for bare, kept, last in rows)

    shown = _as_libreoffice_shows(tmp_path, lines.getvalue().encode("utf-8-sig"))

    assert [row[1] for row in shown] == texts
    changed = {text for text, row in zip(texts, shown, strict=True) if row[0] != text}
    assert changed >= {"120210987654321098", "00123", "12e3", "3/4", "VRAI", "1 mars", "12:30"}, "it changes bare ones"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_libreoffice_shows_the_export_as_it_was_typed(client: CheckedClient, app: Flask, tmp_path: Path) -> None:
    _typed_everywhere(client, app, "00123")

    shown = _as_libreoffice_shows(tmp_path, app.test_cli_runner().invoke(args=["leads", "export"]).stdout_bytes)

    assert len(shown) == 2
    assert shown[1].count("00123") == 18
