"""open-days import: what spreadsheets save, all or nothing, and the same file twice."""

import contextlib
import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from microsite.cli.open_day_file import HEADINGS, Unreadable, read_sheet
from microsite.db import db
from microsite.formatters import PARIS
from microsite.open_days.models import OpenDay, Slot

from ..answers import call_off, plan_slot
from .desk import edit, run, told

FULL = f"""{";".join(HEADINGS.values())}
Journée portes ouvertes;12 rue de l’Été, Paris;Métro « Œuvre »;Visite des plateaux;;07/03/2099;10:00;12:00;40;;
Journée portes ouvertes;12 rue de l’Été, Paris;;;;07/03/2099;14h;16 h 30;40;01/02/2099 09:00;05/03/2099
Réunion à distance;;;;https://visio.example/j/1?pwd=x;2099-03-20;18:00:00;19:00:00;100;;
"""
SHORT = "Lieu;Date;Début;Fin;Places\n"


def _import(app: Flask, folder: Path, content: str | bytes, *options: str) -> Result:
    path = folder / "journées.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return run(app, "import", str(path), *options)


def _slots(app: Flask) -> list[tuple[str, str, str, int]]:
    with app.app_context():
        slots = db.session.scalars(select(Slot).order_by(Slot.starts_at)).all()
        return [
            (one.open_day.title, one.open_day.place, f"{one.starts_at.astimezone(PARIS):%d/%m/%Y %H:%M}", one.capacity)
            for one in slots
        ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_file_of_a_spreadsheet_becomes_days_and_slots(app: Flask, tmp_path: Path, encoding: str, end: str) -> None:
    result = _import(app, tmp_path, FULL.replace("\n", end).encode(encoding))

    assert result.exit_code == 0, result.output
    assert result.stdout == "Ajoutés : journées : 2, créneaux : 3, places : 180. Déjà prévus : 0.\n"
    with app.app_context():
        here, away = db.session.scalars(select(OpenDay).order_by(OpenDay.id)).all()
        assert (here.place, here.access, here.description) == (
            "12 rue de l’Été, Paris",
            "Métro « Œuvre »",
            "Visite des plateaux",
        )
        assert [slot.capacity for slot in here.slots] == [40, 40]
        assert here.slots[1].ends_at == datetime(2099, 3, 7, 15, 30, tzinfo=UTC)
        assert here.slots[1].opens_at == datetime(2099, 2, 1, 8, tzinfo=UTC)
        assert here.slots[1].closes_at == datetime(2099, 3, 5, 23, tzinfo=UTC)
        assert (away.place, away.online_url) == ("En ligne", "https://visio.example/j/1?pwd=x")


def test_commas_quotes_and_line_breaks_are_a_spreadsheet_s(app: Flask, tmp_path: Path) -> None:
    content = 'lieu,date,debut,FIN,places,acces,,\n"12 rue Exemple, Paris",07/03/99,9:05,10:00,4,"Métro\r\nou bus",,\n,,,,,,,\n'

    result = _import(app, tmp_path, content)

    assert result.exit_code == 0, result.output
    assert _slots(app) == [("Journée portes ouvertes", "12 rue Exemple, Paris", "07/03/2099 09:05", 4)]
    with app.app_context():
        assert db.session.scalars(select(OpenDay.access)).one() == "Métro ou bus"


def test_second_import_adds_nothing_and_says_which_were_there(app: Flask, tmp_path: Path) -> None:
    _import(app, tmp_path, FULL)
    before = _slots(app)
    edit(app, "2", capacity=50)
    call_off(app, "3")

    again = _import(app, tmp_path, FULL)

    assert again.exit_code == 0
    assert again.stdout.splitlines() == [
        "ligne 2 : déjà prévu (créneau 1).",
        "ligne 3 : déjà prévu (créneau 2) ; il en diffère, pour le changer : « Modifier », sur sa page dans Portes ouvertes.",
        "ligne 4 : déjà prévu (créneau 3, annulé depuis).",
        "Ajoutés : journées : 0, créneaux : 0, places : 0. Déjà prévus : 3.",
    ]
    assert len(_slots(app)) == len(before)


def test_file_read_again_when_its_first_day_is_past_adds_what_is_new(app: Flask, tmp_path: Path) -> None:
    with time_machine.travel(datetime(2099, 3, 1, tzinfo=UTC), tick=False) as clock:
        _import(app, tmp_path, FULL)
        clock.move_to(datetime(2099, 3, 8, tzinfo=UTC))

        again = _import(
            app, tmp_path, FULL + "Réunion à distance;;;;https://visio.example/j/1?pwd=x;20/03/2099;20:00;21:00;9;;\n"
        )

    assert again.exit_code == 0, again.output
    assert "Ajoutés : journées : 0, créneaux : 1, places : 9. Déjà prévus : 3." in again.stdout
    with app.app_context():
        assert [len(day.slots) for day in db.session.scalars(select(OpenDay).order_by(OpenDay.id))] == [2, 2]


def test_dry_run_says_the_same_and_writes_nothing(app: Flask, tmp_path: Path) -> None:
    tried = _import(app, tmp_path, FULL, "--dry-run")

    assert tried.stdout.splitlines() == [
        "Codage du fichier : utf-8.",
        "07/03/2099 : Journée portes ouvertes, 12 rue de l’Été, Paris",
        "    Accès : Métro « Œuvre »",
        "    Description : Visite des plateaux",
        "20/03/2099 : Réunion à distance, En ligne",
        "    Lien en ligne : https://visio.example/j/1?pwd=x",
        "Essai, rien n’est écrit. Seraient ajoutés : journées : 2, créneaux : 3, places : 180. Déjà prévus : 0.",
    ]
    assert _slots(app) == []
    assert _import(app, tmp_path, SHORT + "Paris;07/03/2099;10:00;9:00;4\n", "--dry-run").exit_code == 1


def test_every_wrong_line_is_told_and_nothing_is_added(app: Flask, tmp_path: Path) -> None:
    plan_slot(app, capacity=4, day="2099-05-07")
    title = "Journée portes ouvertes"
    lines = [
        "Titre;Lieu;Date;Début;Fin;Places;Lien en ligne;Accès;Ouverture des inscriptions;Clôture des inscriptions",
        f"{title};Lyon;07/03/2099;10:00;12:00;40;;Métro;;",
        ";Lyon;30/02/2099;10:00;12:00;40;;;;",
        ";Lyon;07/03/2099;10;25:00;beaucoup;;;;",
        ";Lyon;07/03/2099;12:00;10:00;40;;;;",
        ";;07/03/2099;10:00;12:00;40;;;;",
        ";Lyon;07/03/2020;10:00;12:00;40;;;;",
        ";Lyon;07/03/2099;11:00;13:00;40;;Bus;;",
        ";Lyon;07/03/2099;10:00;12:00;40;;;;",
        ";Lyon;28/03/2027;02:30;04:00;40;;;;",
        ";;08/03/2099;10:00;12:00;0;http://visio.example;;;",
        ";Paris;07/05/2099;11:00;13:00;40;;;;",
        ";Lyon;09/03/2099;10:00;12:00;40;;;10/03/2099;",
        ";Lyon;10/03/2099;10:00;12:00;40;;;;11/03/2099",
        ";Lyon;11/03/2099;;;;;;;",
    ]

    result = _import(app, tmp_path, "\n".join(lines))

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "ligne 3 : Date : « 30/02/2099 » n’est pas une date comme 2027-01-31 ou 31/01/2027.",
        "ligne 4 : Début : « 10 » n’est pas une heure comme 10:00.",
        "ligne 4 : Fin : « 25:00 » n’est pas une heure comme 10:00.",
        "ligne 4 : Places : « beaucoup » n’est pas un nombre entier de 1 à 10000.",
        "ligne 5 : Début : « 12:00-10:00 » : la fin doit venir après le début.",
        "ligne 6 : Lieu : dites où venir, ou donnez un lien en ligne.",
        "ligne 7 : un créneau doit commencer dans l’avenir.",
        "ligne 8 : Accès : une autre ligne de la même journée dit autre chose.",
        "ligne 8 : deux créneaux se chevauchent.",
        "ligne 9 : c’est le créneau de la ligne 2.",
        "ligne 10 : Début : le 28/03/2027, il n’est jamais 02:30 à Paris (passage à l’heure d’été).",
        "ligne 11 : Lien en ligne : « http://visio.example » : attendu une adresse qui commence par https://, sans espace.",
        "ligne 11 : Places : « 0 » n’est pas un nombre entier de 1 à 10000.",
        "ligne 12 : deux créneaux se chevauchent.",
        "ligne 13 : les inscriptions doivent ouvrir avant le début du créneau.",
        "ligne 14 : les inscriptions ne peuvent pas fermer après le début du créneau.",
        "ligne 15 : Début : cette case est vide.",
        "ligne 15 : Fin : cette case est vide.",
        "ligne 15 : Places : cette case est vide.",
        "Error: rien n’est ajouté : 19 corrections sont à faire, puis recommencez.",
    ]
    assert len(_slots(app)) == 1


def test_hour_that_comes_twice_is_the_first_one(app: Flask, tmp_path: Path) -> None:
    result = _import(app, tmp_path, SHORT + "Paris;31/10/2027;02:30;03:30;4\n")

    assert result.exit_code == 0
    assert "Attention : ligne 2 : le créneau commence à 02:30, avant le jour." in result.stderr
    with app.app_context():
        assert db.session.scalars(select(Slot.starts_at)).one() == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "la première ligne doit porter les titres des colonnes : Titre, Lieu"),
        (b"Paris;07/03/2099;10:00;12:00;4", "la première ligne doit porter les titres"),
        (SHORT.encode(), "il n’y a aucun créneau sous la ligne de titres"),
        (b"Lieu;Date;Places\n", "il manque une colonne : Début, Fin"),
        ("Lieu;Date;Début;Fin;Places;Salle\n".encode(), "colonne inconnue : « Salle » ; attendu Titre, Lieu"),
        ("Lieu;Date;Début;Fin;Places;lieu\n".encode(), "la colonne « Lieu » est là deux fois"),
        ((SHORT + "Paris;07/03/2099;10:00;12:00;4;5\n").encode(), "ligne 2 : elle a plus de cases"),
        ((SHORT + 'Paris;"07/03/2099;10:00\n').encode(), "les guillemets ne vont pas par deux"),
        (SHORT.encode("utf-16"), "il n’y a aucun créneau sous la ligne de titres"),
        (
            SHORT.encode("utf-16")[:-1],
            "ses caractères ne se lisent pas ainsi ; enregistrez-le depuis le tableur en « CSV UTF-8 »",
        ),
        (b"PK\x03\x04\x14\x00\x06\x00", "ce n’est pas un fichier CSV"),
        (b"Lieu;Date\x81;", "ses caractères ne se lisent pas"),
    ],
)
def test_file_that_is_none_is_refused_with_a_way_on(app: Flask, tmp_path: Path, content: bytes, said: str) -> None:
    result = _import(app, tmp_path, content)

    assert result.exit_code == 1
    assert said in result.stderr
    assert run(app, "import", str(tmp_path / "absent.csv")).exit_code == 2


_MOMENTS = st.builds(
    datetime.combine,
    st.dates(date(2098, 1, 1), date(2098, 12, 31)),
    st.builds(time, st.integers(0, 23), st.integers(0, 59)),
)
# A spreadsheet keeps no line breaks of its own kinds, and cells are stripped. Latin-9 has letters in the places of eight
# signs: a « ¼ » that stands alone is also an « Œ » (tests/open_days/test_import_encodings.py).
_WORDS = st.text(
    st.characters(codec="cp1252", categories=("L", "N", "P", "S"), exclude_characters="¤¦¨´¸¼½¾"),
    min_size=1,
    max_size=40,
)


@given(
    starts=st.lists(_MOMENTS, min_size=1, max_size=5),
    place=_WORDS,
    delimiter=st.sampled_from(";,"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
    shape=st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d/%m/%y"]),
)
def test_what_a_spreadsheet_writes_is_read_back(
    starts: list[datetime], place: str, delimiter: str, encoding: str, shape: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["Lieu", "Date", "Début", "Fin", "Places"])
    for at in starts:
        writer.writerow([place, at.strftime(shape), at.strftime("%H:%M"), "23:59", 7])

    sheet = read_sheet(text.getvalue().encode(encoding))

    readable = [at for at in starts if at.time() < time(23, 59) and not _is_skipped(at)]
    assert [(line.slot.starts_at.astimezone(PARIS).replace(tzinfo=None), line.day.place) for line in sheet.lines] == [
        (at, place) for at in readable
    ]
    assert len(sheet.mistakes) == len(starts) - len(readable)


@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda rest: (SHORT + rest).encode()))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    with contextlib.suppress(Unreadable):
        sheet = read_sheet(content)

        assert sheet.lines or sheet.mistakes


def _is_skipped(at: datetime) -> bool:
    """Whether clocks in Paris never show it: the last Sunday of March, from two to three."""
    sunday = date(at.year, 3, 31) - timedelta(days=(date(at.year, 3, 31).weekday() + 1) % 7)
    return at.date() == sunday and at.hour == 2


@pytest.mark.parametrize("command", ["import", "remove-samples"])
def test_help_is_complete(app: Flask, command: str) -> None:
    shown = told(app, command, "--help")

    options = shown.partition("Options:")[2]
    assert len(shown.splitlines()[2].strip()) > 20
    assert all(len(line.split("  ")) > 1 for line in options.splitlines() if line.strip())
    assert f"  {command}" in told(app, "--help")
