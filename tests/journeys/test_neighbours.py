"""A number that may be a neighbour's is asked about once, and nothing of the form is lost by it."""

import pytest
from flask import Flask

from ..answers import APPLICATION, BROCHURE, TELL_ME, export, only
from ..page import CheckedClient, Form, Page

BELGIAN = "0470 12 34 56"
FORMS = [
    ("/brochure", BROCHURE),
    ("/portes-ouvertes", TELL_ME),
    ("/candidater", APPLICATION),
    ("/embed/brochure", BROCHURE),
    ("/embed/portes-ouvertes", TELL_ME),
    ("/embed/candidater", APPLICATION),
]


def _form(page: Page) -> Form:
    return page.form(str(page.one("form.form").attributes["action"]))


def _choices(page: Page) -> dict[str, tuple[str, str]]:
    """Label of each radio button about the number → its name and value."""
    labels = {node.attributes["for"]: node.text() for node in page.tree.css("label")}
    buttons = page.tree.css("input[type=radio][name^=phone]")
    return {
        labels[node.attributes["id"]].replace("\u00a0", " "): (
            str(node.attributes["name"]),
            str(node.attributes["value"]),
        )
        for node in buttons
    }


def _is_first_choice(page: Page, link: str) -> bool:
    first = page.tree.css_first("input[type=radio][name^=phone]")
    return first is not None and link == f"#{first.attributes['id']}"


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("path", "answers"), FORMS)
def test_belgian_number_is_asked_about_once_and_kept_as_chosen(
    client: CheckedClient, app: Flask, path: str, answers: dict[str, str]
) -> None:
    first = client.page(f"{path}?utm_campaign=salon")
    assert _choices(first) == {}

    asked = client.send(_form(first), **answers, phone=BELGIAN, phone_consent="y")

    assert asked.status == 422
    question = "Est-ce un numéro français, ou belge ?"
    assert asked.errors() == {"phone_meant": question}
    assert question in asked.summary()
    assert asked.one("form.form").text().replace("\u00a0", " ").replace("\u202f", " ").count("Est-ce un numéro") == 1
    assert _is_first_choice(asked, str(asked.one("[role=alert] a").attributes["href"]))
    choices = _choices(asked)
    assert list(choices) == ["français : 04 70 12 34 56", "belge : +32 470 12 34 56"]
    form = _form(asked)
    kept = {name: form.values[name].strip() for name in (*answers, "phone")}
    assert kept == {name: value.strip() for name, value in answers.items()} | {"phone": BELGIAN}
    assert export(app) == []

    name, value = choices["belge : +32 470 12 34 56"]
    client.follow(client.send(form, **{name: value}))

    row = only(export(app))
    assert (row["phone"], row["phone_consent"], row["utm_campaign"]) == ("+32470123456", "true", "salon")


def test_french_landline_is_kept_as_such_when_chosen(client: CheckedClient, app: Flask) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone="04 78 12 34 56")
    name, value = _choices(asked)["français : 04 78 12 34 56"]

    client.follow(client.send(_form(asked), **{name: value}))

    assert only(export(app))["phone"] == "+33478123456"


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("typed", "choice", "kept"),
    [
        ("022 345 67 89", "suisse : +41 22 345 67 89", "+41223456789"),
        ("26 12 34 56", "luxembourgeois : +352 26 12 34 56", "+35226123456"),
        ("93 12 34 56", "monégasque : +377 93 12 34 56", "+37793123456"),
        ("0269 61 12 34", "de Mayotte : +262 269 61 12 34", "+262269611234"),
        ("02 512 34 56", "belge : +32 2 512 34 56", "+3225123456"),
        ("058 463 11 11", "suisse : +41 58 463 11 11", "+41584631111"),
        ("20 83 85 495", "luxembourgeois : +352 20 83 85 495", "+352208385495"),
    ],
)
def test_each_neighbour_can_be_chosen(client: CheckedClient, app: Flask, typed: str, choice: str, kept: str) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone=typed)
    name, value = _choices(asked)[choice]

    client.follow(client.send(_form(asked), **{name: value}))

    assert only(export(app))["phone"] == kept


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_choice_is_kept_while_something_else_is_corrected(client: CheckedClient, app: Flask) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone=BELGIAN)
    name, value = _choices(asked)["belge : +32 470 12 34 56"]

    wrong = client.send(_form(asked), **{name: value, "email": "zoe@"})

    assert list(wrong.errors()) == ["email"]
    assert _form(wrong).values[name] == value
    client.follow(client.send(_form(wrong), email="zoe@exemple.fr"))
    assert only(export(app))["phone"] == "+32470123456"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_choice_counts_for_the_number_it_was_made_for_alone(client: CheckedClient, app: Flask) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone=BELGIAN)
    name, value = _choices(asked)["belge : +32 470 12 34 56"]

    again = client.send(_form(asked), **{name: value, "phone": "0495 12 34 56"})

    assert list(again.errors()) == ["phone_meant"]
    assert list(_choices(again)) == ["français : 04 95 12 34 56", "belge : +32 495 12 34 56"]
    client.follow(client.send(_form(again), phone="06 12 34 56 78"))
    assert only(export(app))["phone"] == "+33612345678"


def test_answered_question_sent_twice_is_kept_once(client: CheckedClient, app: Flask) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone=BELGIAN)
    form, (name, value) = _form(asked), _choices(asked)["belge : +32 470 12 34 56"]

    client.follow(client.send(form, **{name: value}))
    client.follow(client.send(form, **{name: value}))

    assert only(export(app))["phone"] == "+32470123456"


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("value", ["BE", "+33612345678", "\x00", "é" * 300, "+32470123456 "])
def test_choice_that_was_not_offered_is_asked_for_again(client: CheckedClient, app: Flask, value: str) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone=BELGIAN)
    name, _ = _choices(asked)["belge : +32 470 12 34 56"]

    again = client.send(_form(asked), **{name: value})

    assert (again.status, list(again.errors())) == (422, ["phone_meant"])
    assert export(app) == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0470 12 34 56", "+33470123456"),
        ("022 345 67 89", "+33223456789"),
        ("0596 55 12 34", "+33596551234"),
        ("0262 20 12 34", "+262262201234"),
    ],
)
def test_number_sent_again_without_a_choice_is_the_french_one(
    client: CheckedClient, app: Flask, typed: str, kept: str
) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone=typed)

    client.follow(client.send(_form(asked)))

    assert only(export(app))["phone"] == kept


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("typed", ["06 12 34 56 7", "02 512 34 56", "26 12 34 56"])
def test_number_that_is_not_french_is_asked_about_until_something_is_chosen(
    client: CheckedClient, app: Flask, typed: str
) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone=typed)
    again = client.send(_form(asked))

    for page in (asked, again):
        (message,) = page.errors().values()
        assert message.startswith("Incomplet pour un numéro français (10 chiffres). Est-ce un numéro ")
        assert list(_choices(page))[-1] == "Non, je le corrige"
    name, value = _choices(again)["Non, je le corrige"]
    to_correct = client.send(_form(again), **{name: value})
    assert list(to_correct.errors()) == ["phone"]
    assert _choices(to_correct) == {}
    client.follow(client.send(_form(to_correct), phone="06 12 34 56 78"))
    assert only(export(app))["phone"] == "+33612345678"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_number_corrected_with_that_choice_is_judged_anew(client: CheckedClient, app: Flask) -> None:
    asked = client.send(_form(client.page("/brochure")), **BROCHURE, phone="06 12 34 56 7")
    name, value = _choices(asked)["Non, je le corrige"]

    other = client.send(_form(asked), **{name: value, "phone": "0470 12 34 56"})
    assert list(_choices(other)) == ["français : 04 70 12 34 56", "belge : +32 470 12 34 56"]
    client.follow(client.send(_form(other), phone="06 12 34 56 78"))

    assert only(export(app))["phone"] == "+33612345678"


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    "typed", ["06 12 34 56 78", "+33 4 70 12 34 56", "0033 470 12 34 56", "+32 470 12 34 56", "01 42 34 56 78"]
)
def test_number_with_its_country_or_plainly_french_is_not_asked_about(
    client: CheckedClient, app: Flask, typed: str
) -> None:
    client.follow(client.send(_form(client.page("/brochure")), **BROCHURE, phone=typed))

    assert only(export(app))["phone"].startswith("+3")
