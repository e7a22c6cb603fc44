"""A season's file in each encoding that a spreadsheet saves: read by its letters, or refused when they don't tell."""

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from microsite.cli.french_text import ENCODINGS
from microsite.cli.open_day_file import Unreadable, read_sheet
from microsite.db import db
from microsite.open_days.models import OpenDay

from .desk import run

# Without an accent, so that only the texts can tell.
PLAIN = "Titre;Lieu;Acces;Date;Debut;Fin;Places\n"
SEASON = (
    PLAIN + "Journée portes ouvertes;12 rue de l’Été, Besançon;Métro « Cité »;07/03/2099;10:00;12:00;40\n"
    "Réunion;Lycée François-Truffaut;À droite, 2e étage;08/03/2099;10:00;12:00;40\n"
)
SAVED_AS = ("cp1252", "latin-9", "macroman", "cp850", "cp437", "utf-8", "utf-16")


@pytest.fixture
def engine_name() -> str:
    """What a file says is read before any database is asked."""
    return "sqlite"


def _line(text: str) -> str:
    return f"{PLAIN}{text};Paris;;07/03/2099;10:00;12:00;40\n"


def _in(name: str, text: str) -> bytes:
    """As it can be written there: only Windows and Macintosh have the curly apostrophe."""
    simpler = text.replace("’", "'") if name in ("latin-9", "cp850", "cp437") else text
    return simpler.replace("À", "à").encode(ENCODINGS[name]) if name == "cp437" else simpler.encode(ENCODINGS[name])


def _title(content: bytes, encoding: str | None = None) -> str:
    return read_sheet(content, encoding).lines[0].day.title


def _import(app: Flask, folder: Path, content: bytes, *options: str) -> Result:
    path = folder / "saison.csv"
    path.write_bytes(content)
    return run(app, "import", str(path), *options)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("delimiter", [";", "\t"], ids=["semicolon", "tab"])
@pytest.mark.parametrize("name", SAVED_AS)
def test_season_is_read_in_each_encoding_and_with_each_delimiter(name: str, delimiter: str, end: str) -> None:
    content = _in(name, SEASON.replace(";", delimiter).replace("\n", end))

    sheet = read_sheet(content)

    days = [line.day for line in sheet.lines]
    assert [(day.title, day.place.replace("'", "’")) for day in days] == [
        ("Journée portes ouvertes", "12 rue de l’Été, Besançon"),
        ("Réunion", "Lycée François-Truffaut"),
    ]
    assert days[0].access == "Métro « Cité »"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "mark"])
def test_unicode_text_is_read_with_and_without_its_mark(codec: str, mark: str) -> None:
    assert _title((mark + _line("Journée à l’École").replace(";", "\t")).encode(codec)) == "Journée à l’École"


_TITLES = (
    "Journée portes ouvertes", "École de cinéma", "ÉCOLE", "Lycée", "Accès libre", "l’école", "jusqu’à 18 h", "Théâtre", "Nîmes",
    "François", "Angoulême", "Forêt", "Hérault", "Saint-Étienne", "Économie", "Ça tourne", "Noël", "cœur de ville",
    "À l’Opéra Garnier…",
)  # fmt: skip


def _can_be_written(title: str, name: str) -> bool:
    return title.encode(ENCODINGS[name], "replace").decode(ENCODINGS[name]) == title


@pytest.mark.parametrize(
    ("title", "name"),
    [(title, name) for title in _TITLES for name in SAVED_AS if _can_be_written(title, name)],
)
def test_one_accented_word_is_read_right(title: str, name: str) -> None:
    assert _title(_line(title).encode(ENCODINGS[name])) == title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Málaga", "cp1252"),
        ("São Paulo", "macroman"),
        ("Dvořák", "cp1250"),
        ("Łódź", "iso8859_2"),
        ("Москва", "cp1251"),
        ("Né", "cp1252"),
    ],
)
def test_doubtful_letters_are_refused_with_both_readings(app: Flask, tmp_path: Path, title: str, name: str) -> None:
    result = _import(app, tmp_path, _line(title).encode(name))

    assert result.exit_code == 1
    assert "ses caractères ne se lisent pas avec certitude : « " in result.stderr
    assert "en « CSV UTF-8 »" in result.stderr
    assert "--encoding" in result.stderr
    with app.app_context():
        assert db.session.scalars(select(OpenDay)).all() == []


# Plain headings, and one word whose bytes are another word in another encoding.
_ONE_WORD = (
    "Èze", "Ève", "Salle Ève", "Les Èves", "Ève, Èze", "ÈVE", "Rue d’Ève", "éclat", "l’éveil",
    "Aÿ", "Croÿ", "Aÿ-Champagne", "Moÿ-de-l’Aisne", "Faÿ", "Pierre Louÿs", "AŸ",
    "Bogotá", "Panamá", "Canadá", "Perú", "Ibn Battûta á", "Malmö", "Köln", "Jörg",
    "Salle B·2", "A·b", "®", "Dolby®", "Salle A™", "Ç", "È", "É", "Salle É", "§ 3", "© ESEC", "Salle «A»", "«Top»", "“Top”", "Salle ³", "Ñandú",
    "Œnologie", "Îles", "L’Haÿ-les-Roses", "Œdipe", "Fœtus", "10 €", "Journée\u00a0", "Quoi\u00a0?", "n°\u00a05", "10\u00a0h",
)  # fmt: skip


@pytest.mark.parametrize(
    ("title", "name"),
    [(title, name) for title in _ONE_WORD for name in SAVED_AS if _can_be_written(title, name)],
)
def test_one_doubtful_word_is_read_right_or_refused(title: str, name: str) -> None:
    try:
        read = _title(_line(f'"{title}"').encode(ENCODINGS[name]))
    except Unreadable:
        return
    assert read == title.strip()


@pytest.mark.parametrize("name", ["cp1252", "utf-8"])
@pytest.mark.parametrize(
    "title",
    [
        "Œnologie", "ŒNOLOGIE", "Îles", "Ève", "Èze", "L’Haÿ-les-Roses", "Aÿ", "Croÿ", "Aÿ-Champagne", "Faÿ", "Moÿ-de-l’Aisne", "Pierre Louÿs",
        "Œdipe", "École", "Ça tourne", "10 €", "étude", "Être",
    ],
)  # fmt: skip
def test_one_word_of_a_french_excel_is_read(title: str, name: str) -> None:
    assert _title(_line(title).encode(ENCODINGS[name])) == title


@pytest.mark.parametrize("codec", ["utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("title", ["Journée", "Soiree", "Œuvre 東"])
def test_utf_32_is_refused(codec: str, title: str) -> None:
    with pytest.raises(Unreadable, match="CSV UTF-8"):
        read_sheet(_line(title).encode(codec))


@pytest.mark.parametrize("encoding", [None, "utf-8"])
@pytest.mark.parametrize("title", ["Journée", "À l’École", "cœur", "« Ciné »", "déjà vu é", "Noé"])
def test_utf_7_is_refused(title: str, encoding: str | None) -> None:
    with pytest.raises(Unreadable, match="serait « "):
        read_sheet(_line(title).encode("utf-7"), encoding)


@pytest.mark.parametrize(
    "title", ["Bac+3", "C++ - atelier", "JPO+Brochure-Papier", "A+B", "+33-1", "Bac+Master-Pro", "1+AOkay"]
)
def test_plus_sign_is_no_encoding(title: str) -> None:
    assert _title(_line(title).encode()) == title


@pytest.mark.parametrize("twice", ["cp1252", "mac_roman"])
def test_text_encoded_twice_is_refused(twice: str) -> None:
    mangled = _line("Journée portes ouvertes").encode().decode(twice)

    with pytest.raises(Unreadable, match="serait « Journée »"):
        read_sheet(mangled.encode())


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("its_own", "opened_as", "shown"),
    [
        ("mac_roman", "cp1252", "JournŽe"),
        ("cp1252", "mac_roman", "JournÈe"),
        ("cp850", "cp1252", "Journ‚e"),
        ("cp1252", "cp850", "JournÚe"),
    ],
)
def test_text_opened_in_another_encoding_and_saved_is_refused(
    app: Flask, tmp_path: Path, its_own: str, opened_as: str, shown: str, form: str
) -> None:
    garbled = _line("Journée portes ouvertes").encode(its_own).decode(opened_as)

    result = _import(app, tmp_path, garbled.encode(form))

    assert result.exit_code == 1
    assert f"« {shown} » serait « Journée »" in result.stderr
    assert "Reprenez le fichier d’origine" in result.stderr
    assert "--encoding" not in result.stderr


_OF_LATIN_9 = ("Bœuf", "Sœurs Lumière", "10 €", "Manœuvre", "Žofia Šimková", "½ journée")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        (title, name)
        for title in _OF_LATIN_9
        for name in ("latin-9", "cp1252", "macroman", "utf-8")
        if _can_be_written(title, name)
    ],
)
def test_signs_of_one_family_are_told_apart_under_accented_headings(title: str, name: str) -> None:
    accented = PLAIN.replace("Acces", "Accès").replace("Debut", "Début")

    assert _title(_line(title).replace(PLAIN, accented).encode(ENCODINGS[name])) == title


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n', "sep=;;;;;;;\n"])
@pytest.mark.parametrize("name", ["utf-8", "cp1252", "macroman", "utf-16"])
def test_line_that_names_the_separator_is_skipped(first: str, name: str) -> None:
    accented = PLAIN.replace("Acces", "Accès").replace("Debut", "Début")
    sheet = read_sheet((first + accented + _line("Sep=art").removeprefix(PLAIN)).encode(ENCODINGS[name]))

    assert [(line.number, line.day.title) for line in sheet.lines] == [(2, "Sep=art")]


def test_named_encoding_settles_a_doubt(app: Flask, tmp_path: Path) -> None:
    content = _line("Málaga").encode("mac_roman")

    assert _import(app, tmp_path, content, "--encoding", "macroman").exit_code == 0
    with app.app_context():
        assert db.session.scalars(select(OpenDay.title)).all() == ["Málaga"]
    assert "ne se lisent pas ainsi" in _import(app, tmp_path, content, "--encoding", "utf-8").stderr
    assert _import(app, tmp_path, content, "--encoding", "ebcdic").exit_code == 2


def test_dry_run_shows_the_encoding_and_what_visitors_would_read(app: Flask, tmp_path: Path) -> None:
    shown = _import(app, tmp_path, _in("macroman", SEASON), "--dry-run").stdout.splitlines()

    assert shown[:-1] == [
        "Codage du fichier : macroman.",
        "07/03/2099 : Journée portes ouvertes, 12 rue de l’Été, Besançon",
        "    Accès : Métro « Cité »",
        "08/03/2099 : Réunion, Lycée François-Truffaut",
        "    Accès : À droite, 2e étage",
    ]


@pytest.mark.parametrize("title", ["Žižek à l’affiche", "Dvořák", "Москва", "Δelta", "Zürich – São Paulo", "東京"])
def test_utf_8_keeps_every_letter(title: str) -> None:
    assert _title(_line(title).encode("utf-8-sig")) == title
    assert _title(_line(title).encode(), "utf-8") == title


def test_accents_of_the_headings_settle_the_rest() -> None:
    accented = PLAIN.replace("Acces", "Accès").replace("Debut", "Début")
    for name in ("cp1252", "mac_roman", "cp850"):
        content = _line("Málaga").replace(PLAIN, accented).encode(name)

        assert _title(content) == "Málaga"


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)) * 9, b"\xd0\xcf\x11\xe0" + bytes(500)]
)
def test_workbook_is_no_csv(content: bytes) -> None:
    with pytest.raises(Unreadable, match="pas un fichier CSV"):
        read_sheet(content)
