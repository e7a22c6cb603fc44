"""Consent is never bundled, counts only as given, and is kept word for word."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from microsite.content_files import SHIPPED
from microsite.db import db
from microsite.leads.models import Consent

from ..answers import BROCHURE, export, only
from ..conftest import Environ
from ..page import CheckedClient


@pytest.mark.parametrize("path", ["/brochure", "/portes-ouvertes", "/candidater"])
def test_boxes_come_unticked(client: CheckedClient, path: str) -> None:
    page = client.page(path)

    assert "checked" not in page.one("[name=email_consent]").attributes
    assert "checked" not in page.one("[name=phone_consent]").attributes
    assert "J’ai 15 ans ou plus et j’accepte" in page.text


def test_refusing_costs_nothing(client: CheckedClient, app: Flask) -> None:
    client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))

    row = only(export(app))
    assert (row["email_consent"], row["phone_consent"]) == ("false", "false")


def test_telephone_consent_counts_only_with_a_number(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")

    client.follow(client.send(form, **BROCHURE, phone_consent="y"))
    client.follow(client.send(form, **BROCHURE, phone_consent="y", phone="0612345678"))

    assert [row["phone_consent"] for row in export(app)] == ["false", "true"]


def test_wording_is_kept_word_for_word(client: CheckedClient, app: Flask) -> None:
    page = client.page("/brochure")
    shown = page.one("label[for=brochure-email_consent]").text()
    client.follow(client.send(page.form("/brochure"), **BROCHURE, email_consent="y"))

    with app.app_context():
        consent = db.session.scalars(select(Consent)).one()
        assert (consent.channel, consent.wording.text) == ("email", shown)
        assert consent.given_at is not None
        assert consent.confirmed_at is None


def test_words_that_changed_meanwhile_must_be_agreed_to_again(
    make_app: Callable[..., Flask], client: CheckedClient, environ: Environ
) -> None:
    form = client.page("/brochure").form("/brochure")
    content = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content"
    content.mkdir()
    words = (SHIPPED / "consents.toml").read_text().replace("les actualités,", "les actualités, les offres,")
    (content / "consents.toml").write_text(words)
    app = make_app()
    client = app.test_client()  # type: ignore[assignment]  # the class that make_app set

    page = client.send(form, **BROCHURE, email_consent="y")

    assert page.status == 422
    assert "Le texte des cases à cocher a changé" in page.summary()
    kept = page.form("/brochure")
    assert kept.values["first_name"] == "Zoé"
    assert "email_consent" not in kept.values
    client.follow(client.send(kept, email_consent="y"))
    with app.app_context():
        assert "les offres" in db.session.scalars(select(Consent)).one().wording.text
