"""What each page tells those who link to it: the same for every visitor, and nothing that isn't known."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from microsite.content_files import SHIPPED
from microsite.db import db, writing
from microsite.open_days.samples import plan_samples
from microsite.web.context import utc_now

from ..answers import BROCHURE, call_off, only, plan_slot
from ..conftest import Environ
from ..page import CheckedClient, Page

PUBLIC = "https://films.example"
PAGES = ["/", "/brochure", "/portes-ouvertes", "/candidater", "/confidentialite", "/mentions-legales", "/accessibilite"]


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


@pytest.fixture
def public_client(make_app: Callable[..., Flask]) -> CheckedClient:
    return _client(make_app(MICROSITE_PUBLIC_URL=PUBLIC))


def _client(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def _content(page: Page, name: str) -> str:
    return str(page.one(f'meta[property="{name}"], meta[name="{name}"]').attributes["content"])


def _graph(page: Page) -> list[dict[str, Any]]:
    data = json.loads(page.one('script[type="application/ld+json"]').text())
    assert data["@context"] == "https://schema.org"
    graph: list[dict[str, Any]] = data["@graph"]
    return graph


def _things(page: Page, kind: str) -> list[dict[str, Any]]:
    return [thing for thing in _graph(page) if thing["@type"] == kind]


@pytest.mark.parametrize("path", PAGES)
def test_every_public_page_names_its_one_address(public_client: CheckedClient, path: str) -> None:
    page = public_client.page(f"{path}?utm_source=instagram&utm_campaign=rentree")

    assert page.one("link[rel=canonical]").attributes["href"] == _content(page, "og:url") == PUBLIC + path
    assert "instagram" not in str(page.one("head").html)
    assert page.one("title").text().startswith(_content(page, "og:title"))
    assert _content(page, "description") == _content(page, "og:description")


def test_no_two_pages_have_the_same_title_or_description(public_client: CheckedClient) -> None:
    pages = [public_client.page(path) for path in PAGES]

    for name in ("og:title", "description"):
        told = [_content(page, name) for page in pages]
        assert len(set(told)) == len(PAGES)
    assert all(50 <= len(_content(page, "description")) <= 200 for page in pages)


def test_slash_at_the_end_leads_to_the_same_canonical_address(public_client: CheckedClient) -> None:
    assert _content(public_client.page("/brochure/"), "og:url") == f"{PUBLIC}/brochure"


def test_thank_you_and_error_pages_are_not_to_be_found_or_shared(client: CheckedClient) -> None:
    thanks = client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))

    for page in (thanks, client.page("/nulle-part")):
        assert _content(page, "robots") == "noindex"
        assert page.tree.css('link[rel=canonical], meta[property], script[type="application/ld+json"]') == []


def test_article_is_described_without_what_nobody_wrote_down(public_client: CheckedClient) -> None:
    page = public_client.page("/")

    article = only(_things(page, "Article"))
    assert article["headline"] == page.one("h1").text()
    assert article["mainEntityOfPage"] == f"{PUBLIC}/"
    assert article["image"] == _content(page, "og:image")
    assert article["publisher"]["@id"] == only(_things(page, "EducationalOrganization"))["@id"]
    assert not {"datePublished", "dateModified", "author"} & article.keys()
    assert page.tree.css('meta[property^="article:"]') == []


def test_school_is_described_without_placeholders(public_client: CheckedClient) -> None:
    school = only(_things(public_client.page("/brochure"), "EducationalOrganization"))

    assert school == {
        "@type": "EducationalOrganization",
        "@id": f"{PUBLIC}/#ecole",
        "name": "ÉSEC",
        "slogan": "L’école des métiers du cinéma et de l’audiovisuel",
        "foundingDate": "1973",
        "url": "https://esec.edu/",
        "address": {"@type": "PostalAddress", "addressLocality": "Paris"},
    }


def test_contacts_are_told_once_the_school_has_written_them(make_app: Callable[..., Flask], environ: Environ) -> None:
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content"
    folder.mkdir()
    text = (SHIPPED / "school.toml").read_text().replace("[à compléter : téléphone]", "01 99 00 12 34")
    (folder / "school.toml").write_text(text.replace("[à compléter : adresse postale]", "1 rue du Plateau, Paris"))

    school = only(_things(_client(make_app()).page("/"), "EducationalOrganization"))

    assert (school["telephone"], school["address"]) == ("01 99 00 12 34", "1 rue du Plateau, Paris")
    assert "email" not in school


def test_signs_that_would_end_the_data_block_are_escaped(make_app: Callable[..., Flask], environ: Environ) -> None:
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content" / "articles"
    folder.mkdir(parents=True)
    title = '</script><!-- « \\u2028 » \\"x\\" & <b>'
    (folder / "piege.md").write_text(f'+++\ntitle = "{title}"\nlead = "x"\ndescription = "x"\n+++\n\nTexte.\n')

    page = _client(make_app()).page("/articles/piege")

    block = page.one('script[type="application/ld+json"]').text()
    assert not set("<>&\u2028") & set(block)
    told = only(_things(page, "Article"))["headline"]
    assert told == _content(page, "og:title")
    assert "</script><!--" in told
    assert "\u2028" in told


def test_open_day_is_an_event_from_its_first_slot_to_its_last(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_PUBLIC_URL=PUBLIC)
    plan_slot(app, capacity=5, day="2099-07-04", hour=14)
    plan_slot(app, capacity=5, day="2099-07-04")
    plan_slot(app, capacity=5, day="2099-12-05")

    summer, winter = _things(_client(app).page("/portes-ouvertes"), "Event")

    assert (summer["startDate"], summer["endDate"]) == ("2099-07-04T10:00:00+02:00", "2099-07-04T16:00:00+02:00")
    assert winter["startDate"] == "2099-12-05T10:00:00+01:00"
    assert summer["location"] == {"@type": "Place", "name": "Paris", "address": "Paris"}
    assert summer["organizer"] == {"@id": f"{PUBLIC}/#ecole"}
    assert summer["eventAttendanceMode"] == "https://schema.org/OfflineEventAttendanceMode"
    assert "offers" not in summer
    assert "description" not in summer


def test_online_open_day_takes_place_at_the_page_where_one_registers(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_PUBLIC_URL=PUBLIC)
    plan_slot(app, online_url="https://visio.example/secret", description="Questions et réponses")

    page = _client(app).page("/portes-ouvertes")

    event = only(_things(page, "Event"))
    assert event["eventAttendanceMode"] == "https://schema.org/OnlineEventAttendanceMode"
    assert event["location"] == {"@type": "VirtualLocation", "url": f"{PUBLIC}/portes-ouvertes"}
    assert event["description"] == "Questions et réponses"
    assert "visio.example" not in page.html


def test_cancelled_slots_are_no_events_and_those_that_one_cannot_join_are(client: CheckedClient, app: Flask) -> None:
    cancelled = plan_slot(app, hour=8)
    plan_slot(app, closes_at=utc_now(), hour=10)
    plan_slot(app, opens_at=utc_now() + timedelta(days=9), hour=14)
    call_off(app, cancelled)

    event = only(_things(client.page("/portes-ouvertes"), "Event"))

    assert (event["startDate"], event["endDate"]) == ("2099-03-07T10:00:00+01:00", "2099-03-07T16:00:00+01:00")


def test_sample_open_days_are_no_events(client: CheckedClient, app: Flask) -> None:
    with app.app_context(), writing():
        plan_samples(db.session(), now=utc_now())

    page = client.page("/portes-ouvertes")

    assert len(page.tree.css("[type=radio]")) > 1
    assert _things(page, "Event") == []
