"""/c/<code>: to the form or the article, never elsewhere, and never kept."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from microsite.campaigns.models import Campaign
from microsite.db import db

from ..answers import add_campaign
from ..page import CheckedClient


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


@pytest.mark.parametrize(
    ("target", "path"),
    [("", "/"), ("brochure", "/brochure"), ("open-day", "/portes-ouvertes"), ("application", "/candidater")],
)
def test_code_leads_to_the_form_of_its_campaign(app: Flask, client: CheckedClient, target: str, path: str) -> None:
    add_campaign(app, "salon", target=target, content="A 3")

    answer = client.get("/c/salon")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    assert answer.headers["Location"] == f"{path}?utm_source=affiche&utm_medium=qr&utm_campaign=salon&utm_content=A+3"


@pytest.mark.parametrize(
    "path",
    [
        "/c/",
        "/c",
        "/c/...",
        "/c/https:example.com",
        "/c/%5Cexample.com",
        "/c/" + "x" * 500,
        "/c/" + "." * 5000 + "x y",
        "/c/é",
    ],
)
def test_what_is_no_code_leads_to_the_article(client: CheckedClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/c/salon-2062", "/?utm_campaign=salon-2062"),  # the report then shows the misprint
        ("/c/Inconnue)", "/?utm_campaign=inconnue"),
        ("/c/inconnue?utm_source=X&utm_term=a&embed_host=a.fr", "/?utm_source=x&utm_campaign=inconnue&utm_term=a&embed_host=a.fr"),
        ("/c/inconnue?utm_campaign=rentree", "/?utm_campaign=rentree"),
        ("/c/?utm_campaign=rentree", "/?utm_campaign=rentree"),
        ("/c/inconnue?gclid=1&fbclid=2&next=//example.com", "/?utm_campaign=inconnue"),
    ],
)  # fmt: skip
def test_unknown_code_leads_to_the_article_with_what_the_address_carried(
    client: CheckedClient, path: str, location: str
) -> None:
    assert client.get(path).headers["Location"] == location


@pytest.mark.parametrize(
    "glued", ["salon.", "salon%20", "salon)", "%20SALON", "%C2%AB%C2%A0salon%C2%A0%C2%BB", "salon%E2%80%8B", "salon%00"]
)
def test_signs_that_messengers_glue_to_an_address_are_no_part_of_the_code(
    app: Flask, client: CheckedClient, glued: str
) -> None:
    add_campaign(app, "salon", target="brochure")

    assert client.get(f"/c/{glued}").headers["Location"].startswith("/brochure?utm_source=affiche")


@pytest.mark.parametrize("path", ["/c/salon", "/c/inconnue", "/c/"])
def test_head_leads_where_get_does(app: Flask, client: CheckedClient, path: str) -> None:
    add_campaign(app, "salon")

    answers = [client.open(path, method=method) for method in ("GET", "HEAD")]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert answers[1].data == b""


def test_nothing_in_the_address_leads_elsewhere(app: Flask, client: CheckedClient) -> None:
    add_campaign(app, "salon")

    location = client.get(
        "/c/salon?next=https://example.com&landing_path=//example.com&_scheme=ftp&_external=1&_anchor=x"
    ).headers["Location"]

    assert location.startswith("/?utm_source=")
    assert "ftp" not in location


def test_code_of_a_campaign_whose_form_has_gone_leads_to_the_article(app: Flask, client: CheckedClient) -> None:
    add_campaign(app, "salon")
    with app.app_context():
        db.session.execute(update(Campaign).values(target="stage"))
        db.session.commit()

    assert client.get("/c/salon").headers["Location"].startswith("/?utm_source=affiche")


def test_code_is_carried_to_the_article_while_the_database_is_away(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    database = app.extensions["settings"].instance_path / "microsite.sqlite3"
    database.rename(database.with_suffix(".away"))

    answer = app.test_client().get("/c/SALON.?utm_content=bio&gclid=1")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/?utm_campaign=salon&utm_content=bio")
