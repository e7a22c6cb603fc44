"""/c/<code>: to the form or the article, never elsewhere, and never kept."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from microsite.campaigns.models import Campaign
from microsite.db import db

from ..conftest import Environ
from ..journeys.test_attribution import add
from ..page import CheckedClient


@pytest.mark.parametrize(
    ("target", "path"),
    [("", "/"), ("brochure", "/brochure"), ("open-day", "/portes-ouvertes"), ("application", "/candidater")],
)
def test_code_leads_to_the_form_of_its_campaign(app: Flask, client: CheckedClient, target: str, path: str) -> None:
    add(app, "salon", *(["--target", target] if target else []), "--content", "A 3")

    answer = client.get("/c/salon")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    assert answer.headers["Location"] == f"{path}?utm_source=affiche&utm_medium=qr&utm_campaign=salon&utm_content=A+3"


@pytest.mark.parametrize(
    "path",
    [
        "/c/inconnue",
        "/c/salon%00",
        "/c/https:example.com",
        "/c/%5Cexample.com",
        "/c/" + "x" * 500,
        "/c/é",
        "/c/inconnue?utm_source=x&next=//example.com",
    ],
)
def test_unknown_code_leads_to_the_article(client: CheckedClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_nothing_in_the_address_leads_elsewhere(app: Flask, client: CheckedClient) -> None:
    add(app, "salon")

    location = client.get(
        "/c/salon?next=https://example.com&landing_path=//example.com&_scheme=ftp&_external=1&_anchor=x"
    ).headers["Location"]

    assert location.startswith("/?utm_source=")
    assert "ftp" not in location


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_code_of_a_campaign_whose_form_has_gone_leads_to_the_article(app: Flask, client: CheckedClient) -> None:
    add(app, "salon")
    with app.app_context():
        db.session.execute(update(Campaign).values(target="stage"))
        db.session.commit()

    assert client.get("/c/salon").headers["Location"].startswith("/?utm_source=affiche")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_code_leads_to_the_article_while_the_database_is_away(make_app: Callable[..., Flask], environ: Environ) -> None:
    app = make_app()
    database = app.extensions["settings"].instance_path / "microsite.sqlite3"
    database.rename(database.with_suffix(".away"))

    answer = app.test_client().get("/c/salon")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
