"""Each kind of bad input gets its message beside the field, and loses nothing."""

from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask

from ..answers import APPLICATION, BROCHURE, MOTIVATION, TELL_ME, export, only
from ..page import CheckedClient, Page

PHONE = "Saisissez un numéro complet, comme 06 12 34 56 78 ou +33 6 12 34 56 78, ou laissez vide."
ILLEGIBLE = "Ce champ contenait des caractères invisibles ou illisibles : nous les avons retirés, vérifiez-le."

# path, field, what is typed, what is said
REFUSED = [
    ("/brochure", "first_name", "", "Saisissez votre prénom."),
    ("/brochure", "first_name", "   ", "Saisissez votre prénom."),
    ("/brochure", "last_name", "", "Saisissez votre nom."),
    ("/brochure", "first_name", "Zo\0é", ILLEGIBLE),
    ("/brochure", "first_name", "Zo\x07é", ILLEGIBLE),
    ("/brochure", "last_name", "Le\nfèvre", ILLEGIBLE),
    ("/brochure", "last_name", "Le\u202efèvre", ILLEGIBLE),
    ("/brochure", "first_name", "Zoé\x1c", ILLEGIBLE),
    ("/brochure", "first_name", "Zo\té", ILLEGIBLE),
    ("/brochure", "first_name", "\u200b\u3164", "Saisissez votre prénom."),
    ("/brochure", "phone", "01 42 34 ABCD", PHONE),
    ("/brochure", "phone", "06 12 34 56 78 / 07 12 34 56 78", PHONE),
    ("/brochure", "first_name", "é" * 101, "Ce champ accepte 100 caractères au plus : retirez-en 1."),
    ("/brochure", "email", "", "Saisissez votre adresse e-mail."),
    ("/brochure", "email", "zoe", "Saisissez une adresse e-mail complète, comme prenom@exemple.fr."),
    ("/brochure", "email", "zoe@exemple", "Saisissez une adresse e-mail complète, comme prenom@exemple.fr."),
    ("/brochure", "email", "zoe@@exemple.fr", "Saisissez une adresse e-mail complète, comme prenom@exemple.fr."),
    ("/brochure", "email", "z" * 250 + "@a.fr", "Ce champ accepte 254 caractères au plus : retirez-en 1."),
    ("/brochure", "phone", "demain", PHONE),
    ("/brochure", "phone", "06 12", PHONE),
    ("/brochure", "programme", "cuisine", "Choisissez une réponse dans la liste."),
    ("/brochure", "level", "maternelle", "Choisissez une réponse dans la liste."),
    ("/portes-ouvertes", "slot", None, "Choisissez une date, ou demandez-nous de vous prévenir."),
    ("/portes-ouvertes", "slot", "999", "Ce créneau n’est plus proposé. Choisissez-en un autre, ou demandez-nous de vous prévenir."),
    ("/portes-ouvertes", "slot", "9" * 30, "Ce créneau n’est plus proposé. Choisissez-en un autre, ou demandez-nous de vous prévenir."),
    ("/portes-ouvertes", "companions", "4", "Choisissez une réponse dans la liste."),
    ("/portes-ouvertes", "companions", "-1", "Choisissez une réponse dans la liste."),
    ("/portes-ouvertes", "access_needs", "a" * 1002, "Ce champ accepte 1 000 caractères au plus : retirez-en 2."),
    ("/candidater", "programme", "", "Choisissez une formation, ou « Je ne sais pas encore »."),
    ("/candidater", "intake", "", "Choisissez une rentrée."),
    ("/candidater", "intake", "1999", "Choisissez une réponse dans la liste."),
    ("/candidater", "level", "", "Choisissez votre niveau d’études."),
    ("/candidater", "birth_date", "", "Saisissez votre date de naissance."),
    ("/candidater", "birth_date", "hier", "Saisissez une date qui existe, comme 12/05/2008."),
    ("/candidater", "birth_date", "2005-02-30", "Saisissez une date qui existe, comme 12/05/2008."),
    ("/candidater", "birth_date", "1850-01-01", "Vérifiez l’année : cette date de naissance n’est pas possible."),
    ("/candidater", "birth_date", "2020-01-01", "Vérifiez l’année : cette date de naissance n’est pas possible."),
    ("/candidater", "birth_date", "2098-01-01", "Vérifiez l’année : cette date de naissance n’est pas possible."),
    ("/candidater", "motivation", "", "Écrivez quelques lignes sur votre motivation."),
    ("/candidater", "motivation", "a" * 199, "Dites-en un peu plus : il manque 1 caractère pour atteindre 200."),
    ("/candidater", "motivation", "a" * 4001, "Ce champ accepte 4 000 caractères au plus : retirez-en 1."),
    ("/candidater", "motivation", MOTIVATION + "\x1b[0m", ILLEGIBLE),
]  # fmt: skip
ACCEPTED = {"/brochure": BROCHURE, "/portes-ouvertes": TELL_ME, "/candidater": APPLICATION}


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("path", "field", "typed", "message"), REFUSED)
def test_bad_input_is_refused_beside_its_field_and_loses_nothing(
    client: CheckedClient, app: Flask, path: str, field: str, typed: str | None, message: str
) -> None:
    answers = ACCEPTED[path] | {"phone": "06 12 34 56 78"}

    page = client.send(client.page(path).form(path), **answers | {field: typed}, phone_consent="y")

    assert page.status == 422
    assert page.errors() == {field: message}
    assert message in page.summary()
    kept = page.form(path).values
    for name, value in answers.items():
        if name != field:
            assert kept[name].strip() == value.strip(), name
    assert kept["phone_consent"]
    assert export(app) == []


@pytest.mark.parametrize("raw", [b"%ED%A0%80", b"%FF%FE", b"Zo%00"], ids=["lone surrogate", "not UTF-8", "NUL"])
def test_bytes_that_are_no_text_are_refused_and_taken_out(client: CheckedClient, app: Flask, raw: bytes) -> None:
    token = client.page("/brochure").form("/brochure").values["form_token"].encode()
    body = b"form_token=" + token + b"&last_name=B&email=a%40exemple.fr&first_name=Ana" + raw

    page = Page(client.post("/brochure", data=body, content_type="application/x-www-form-urlencoded"))

    assert page.errors() == {"first_name": ILLEGIBLE}
    client.follow(client.send(page.form("/brochure")))
    assert only(export(app))["first_name"].startswith("Ana")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_all_mistakes_are_told_at_once(client: CheckedClient) -> None:
    page = client.send(client.page("/candidater").form("/candidater"))

    assert list(page.errors()) == [
        "first_name", "last_name", "email", "programme", "intake", "level", "birth_date", "motivation",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["Zoë-Éléonore d’Aÿ", "O'Neil", "Nguyễn", "王小明", "عمر", "नेहा", "Łucja", "😀", "🩷", "-", "ﷺ"]
)
def test_names_of_any_script_are_kept_as_typed(client: CheckedClient, app: Flask, name: str) -> None:
    client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"last_name": name}))

    assert only(export(app))["last_name"] == name


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_number_copied_from_a_contact_list_is_accepted(client: CheckedClient, app: Flask) -> None:
    copied = BROCHURE | {"phone": "\u202a+33\u00a06\u202f12 34 56 78\u202c"}

    client.follow(client.send(client.page("/brochure").form("/brochure"), **copied))

    assert only(export(app))["phone"] == "+33612345678"


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("sign", ["\u200b", "\u200e", "\u00ad"])
def test_address_copied_with_an_invisible_sign_is_accepted(client: CheckedClient, app: Flask, sign: str) -> None:
    copied = BROCHURE | {"email": f"{sign}zoe@exemple.fr{sign}"}

    client.follow(client.send(client.page("/brochure").form("/brochure"), **copied))

    assert only(export(app))["email"] == "zoe@exemple.fr"


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("path", "name"), [("/candidater", "motivation"), ("/portes-ouvertes", "access_needs")])
def test_long_answers_have_room_for_several_lines(client: CheckedClient, path: str, name: str) -> None:
    assert client.page(path).one(f"[name={name}]").tag == "textarea"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_internationalised_address_is_accepted(client: CheckedClient, app: Flask) -> None:
    client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"email": "zoé@École.FR"}))

    assert only(export(app))["email"] == "zoé@école.fr"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_likely_typo_gets_a_suggestion_and_no_block(client: CheckedClient, app: Flask) -> None:
    answers = BROCHURE | {"email": "zoe@gmial.com"}

    thanks = client.follow(client.send(client.page("/brochure").form("/brochure"), **answers))

    assert "Elle ressemble à une adresse @gmail.com" in thanks.text
    assert only(export(app))["email"] == "zoe@gmial.com"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_likely_typo_is_suggested_beside_the_field_too(client: CheckedClient) -> None:
    answers = BROCHURE | {"email": "zoe@gmial.com", "first_name": ""}

    page = client.send(client.page("/brochure").form("/brochure"), **answers)

    assert "Vouliez-vous écrire @gmail.com ?" in page.text
    assert list(page.errors()) == ["first_name"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("today", [datetime(2027, 5, 11, 12, tzinfo=UTC), datetime(2027, 5, 11, 22, 30, tzinfo=UTC)])
def test_guardian_is_asked_until_the_eighteenth_birthday_in_paris(client: CheckedClient, today: datetime) -> None:
    is_adult = today.hour == 22  # half past midnight in Paris: the birthday has come
    with time_machine.travel(today, tick=False):
        page = client.send(client.page("/candidater").form("/candidater"), **APPLICATION | {"birth_date": "12/05/2009"})

    assert page.status == (303 if is_adult else 422)
    assert list(page.errors()) == ([] if is_adult else ["guardian_name", "guardian_email"])


def test_minor_with_a_guardian_can_apply(client: CheckedClient, app: Flask) -> None:
    guardian = {"guardian_name": "Hélène Lefèvre", "guardian_email": "helene@exemple.fr"}

    with time_machine.travel(datetime(2027, 1, 4, tzinfo=UTC), tick=False):
        minor = APPLICATION | {"birth_date": "12/05/2010"}
        client.follow(client.send(client.page("/candidater").form("/candidater"), **minor, **guardian))

    row = only(export(app))
    assert row | guardian | {"birth_date": "2010-05-12"} == row


def test_under_fifteen_cannot_consent_but_can_apply(client: CheckedClient, app: Flask) -> None:
    with time_machine.travel(datetime(2027, 1, 4, tzinfo=UTC), tick=False):
        child = APPLICATION | {
            "birth_date": "2012-06-01",
            "guardian_name": "Hélène Lefèvre",
            "guardian_email": "helene@exemple.fr",
        }
        page = client.send(client.page("/candidater").form("/candidater"), **child, email_consent="y")

        assert "vous avez moins de 15 ans : décochez cette case" in page.errors()["email_consent"]
        client.follow(client.send(page.form("/candidater"), email_consent=None))
    assert only(export(app))["email_consent"] == "false"
