"""Names without what nobody sees, on every form that asks for one."""

import pytest
from flask import Flask

from ..answers import APPLICATION, BROCHURE, TELL_ME, export, only
from ..page import CheckedClient

FORMS = [
    ("/brochure", BROCHURE),
    ("/portes-ouvertes", TELL_ME),
    ("/candidater", APPLICATION),
    ("/embed/brochure", BROCHURE),
]


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("path", "answers"), FORMS)
def test_names_are_kept_without_invisible_signs_and_no_break_spaces(
    client: CheckedClient, app: Flask, path: str, answers: dict[str, str]
) -> None:
    page = client.page(path)
    form = page.form(str(page.one("form.form").attributes["action"]))
    typed = {"first_name": "\ufeffMarie\u00a0Ange\u200b", "last_name": "Le\u202fB\u00adœuf\u2060\u200e"}

    client.follow(client.send(form, **answers | typed))

    row = only(export(app))
    assert (row["first_name"], row["last_name"]) == ("Marie Ange", "Le Bœuf")


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u2068Zoé\u2069", "Zoé"),
        ("\u202aZoé\u202c", "Zoé"),
        ("Jean\u200d-\u200cPierre", "Jean-Pierre"),
        ("e\u200b\u0301ric", "éric"),
        ("D\u2007\u2009Aÿ", "D  Aÿ"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d🎬", "👩\u200d🎬"),
        ("王小明\u200d", "王小明"),
        ("Zo\u034fé", "Zoé"),
        ("Zo\ufe00é\ufe0f", "Zoé"),
        ("Zo\u17b4é\u17b5", "Zoé"),
        ("葛\U000e0100城", "葛城"),
        ("Zoé ❤\ufe0f", "Zoé ❤\ufe0f"),
        ("Zoé 1\ufe0f\u20e3", "Zoé 1\ufe0f\u20e3"),
        ("👩\u200d❤\ufe0f\u200d👩", "👩\u200d❤\ufe0f\u200d👩"),
    ],
)
def test_only_joiners_that_a_script_needs_stay(client: CheckedClient, app: Flask, typed: str, kept: str) -> None:
    client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"last_name": typed}))

    assert only(export(app))["last_name"] == kept


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_guardian_s_name_is_kept_so_too(client: CheckedClient, app: Flask) -> None:
    guardian = {"guardian_name": "Hélène\u00a0Le\u200bfèvre", "guardian_email": "helene@exemple.fr"}

    client.follow(client.send(client.page("/candidater").form("/candidater"), **APPLICATION | guardian))

    assert only(export(app))["guardian_name"] == "Hélène Lefèvre"
