"""A parent's address that is the candidate's own: asked about once, then accepted, nothing lost."""

from typing import Any

import pytest
from flask import Flask

from ..answers import APPLICATION, MOTIVATION, export, only
from ..page import CheckedClient, Page

MINOR = APPLICATION | {"birth_date": "2011-05-12", "guardian_name": "Anne Lefèvre"}
QUESTION = "est-ce bien celle de ce parent ou responsable"


def _send(client: CheckedClient, path: str = "/candidater", **answers: str) -> Page:
    return client.send(client.page(path).form(path), **MINOR | answers)


@pytest.mark.parametrize("path", ["/candidater", "/embed/candidater"])
def test_same_address_is_asked_about_once_then_accepted(client: CheckedClient, app: Flask, path: str) -> None:
    asked = _send(client, path, guardian_email="zoe@exemple.fr")

    assert (asked.status, list(asked.errors())) == (422, ["guardian_email"])
    assert QUESTION in asked.errors()["guardian_email"]
    assert export(app) == []
    form = asked.form(path)
    assert (form.values["motivation"].strip(), form.values["guardian_name"]) == (MOTIVATION.strip(), "Anne Lefèvre")
    assert client.send(form).status == 303
    row = only(export(app))
    assert (row["email"], row["guardian_email"]) == ("zoe@exemple.fr", "zoe@exemple.fr")


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ("zoe@exemple.fr", "ZOE@exemple.fr"),
        ("Zoe.Lefevre@Exemple.FR", "zoe.lefevre@exemple.fr"),
        ("zoe@école.example", "zoe@ÉCOLE.example"),
        ("zoe@école.example", "zoe@xn--cole-9oa.example"),
        ("zoe\u0301@exemple.fr", "zo\u00e9@exemple.fr"),
    ],
)
def test_one_mailbox_in_two_writings_is_asked_about(client: CheckedClient, app: Flask, own: str, theirs: str) -> None:
    asked = _send(client, email=own, guardian_email=theirs)

    assert QUESTION in asked.errors()["guardian_email"]
    assert client.send(asked.form("/candidater")).status == 303


@pytest.mark.parametrize("answers", [{"guardian_email": "anne@exemple.fr"}, {"email": "zoe2@exemple.fr"}])
def test_address_that_is_corrected_is_accepted(client: CheckedClient, app: Flask, answers: dict[str, Any]) -> None:
    asked = _send(client, guardian_email="zoe@exemple.fr")

    assert client.send(asked.form("/candidater"), **answers).status == 303
    row = only(export(app))
    assert row["email"] != row["guardian_email"]


def test_another_shared_address_is_asked_about_anew(client: CheckedClient, app: Flask) -> None:
    asked = _send(client, guardian_email="zoe@exemple.fr")
    again = client.send(asked.form("/candidater"), email="anne@exemple.fr", guardian_email="anne@exemple.fr")

    assert QUESTION in again.errors()["guardian_email"]
    assert client.send(again.form("/candidater")).status == 303


def test_question_waits_for_what_is_wrong_and_is_not_lost_by_it(client: CheckedClient, app: Flask) -> None:
    wrong = _send(client, guardian_email="zoe@exemple.fr", first_name="")
    assert list(wrong.errors()) == ["first_name"]
    asked = client.send(wrong.form("/candidater"), first_name="Zoé")
    assert list(asked.errors()) == ["guardian_email"]
    wrong = client.send(asked.form("/candidater"), last_name="")
    assert list(wrong.errors()) == ["last_name"]

    assert client.send(wrong.form("/candidater"), last_name="Lefèvre").status == 303


def test_who_is_of_age_is_asked_too(client: CheckedClient, app: Flask) -> None:
    asked = _send(client, birth_date="2004-05-12", guardian_email="zoe@exemple.fr")

    assert QUESTION in asked.errors()["guardian_email"]
    assert client.send(asked.form("/candidater")).status == 303


def test_other_and_missing_addresses_are_not_asked_about(client: CheckedClient, app: Flask) -> None:
    assert _send(client, guardian_email="anne@exemple.fr").status == 303
    assert _send(client, birth_date="2004-05-12", guardian_email="", email="max@exemple.fr").status == 303
