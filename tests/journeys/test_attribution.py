"""Journeys from where a visitor comes to the attribution in the CSV, exact to the last column."""

from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

import pytest
from flask import Flask

from microsite.campaigns.attribution import LIMIT, NAMES

from ..answers import APPLICATION, BROCHURE, TELL_ME, add_campaign, export
from ..page import CheckedClient, Page

OWN_SITE = "http://localhost"


class Visitor:
    """Goes from page to page as a browser does: redirects followed, the page before named as referrer."""

    def __init__(self, client: CheckedClient) -> None:
        self._client = client
        self._page: Page

    def arrive(self, address: str, *, referrer: str = "") -> "Visitor":
        headers = {"Referer": referrer} if referrer else {}
        page = self._client.page(address, headers=headers)
        while page.status == 302:
            # The referrer stays the same through redirects (Fetch, "HTTP-redirect fetch").
            address = page.response.headers["Location"]
            page = self._client.page(address, headers=headers)
        assert page.status == 200
        self._address, self._page = address, page
        return self

    def click(self, path: str) -> "Visitor":
        link = next(link for link in self._page.links() if urlsplit(link).path == path)
        return self.arrive(link, referrer=f"{OWN_SITE}{urlsplit(self._address).path}")

    def send(self, path: str, answers: dict[str, str]) -> "Visitor":
        form = self._page.form(path)
        headers = {"Referer": f"{OWN_SITE}{urlsplit(self._address).path}"}
        page = Page(self._client.post(form.action, data=form.filled(**answers), headers=headers))
        if page.status == 303:
            return self.arrive(page.response.headers["Location"], referrer=f"{OWN_SITE}{path}")
        assert page.status == 422
        self._address, self._page = path, page
        return self


Journey = Callable[[Visitor], Visitor]
Kept = list[dict[str, str]]
HOME = {"landing_path": "/", "article": "ia-cinema-audiovisuel"}
SALON = {"utm_source": "affiche", "utm_medium": "qr", "utm_campaign": "salon-2026"}
STORY = {"utm_source": "instagram", "utm_medium": "story", "utm_campaign": "rentree"}
STORY_QUERY = "utm_source=instagram&utm_medium=story&utm_campaign=rentree"
WRONG = BROCHURE | {"email": "zoe@"}

JOURNEYS: list[tuple[str, Journey, Kept]] = [
    ("typed by hand, the form on the article", lambda v: v.arrive("/").send("/brochure", BROCHURE), [HOME]),
    ("a search engine", lambda v: v.arrive("/", referrer="https://www.google.com/").send("/brochure", BROCHURE), [HOME | {"referrer_host": "www.google.com"}]),
    (
        "all five texts of a tagged link",
        lambda v: v.arrive(f"/?{STORY_QUERY}&utm_term=montage&utm_content=video-1").send("/brochure", BROCHURE),
        [HOME | STORY | {"utm_term": "montage", "utm_content": "video-1"}],
    ),
    (
        "inside Instagram: its click identifiers are dropped",
        lambda v: v.arrive(f"/?{STORY_QUERY}&fbclid=IwAR0x&igshid=abc&gclid=Cj0&ttclid=E.C.", referrer="https://l.instagram.com/").send("/brochure", BROCHURE),
        [HOME | STORY | {"referrer_host": "l.instagram.com"}],
    ),
    (
        "source and medium typed carelessly",
        lambda v: v.arrive("/?utm_source=%20Facebook%20%20Ads&utm_medium=CPC&utm_campaign=Rentr%C3%A9e%20%202027").send("/brochure", BROCHURE),
        [HOME | {"utm_source": "facebook-ads", "utm_medium": "cpc", "utm_campaign": "Rentrée 2027"}],
    ),
    (
        "straight to a form",
        lambda v: v.arrive(f"/candidater?{STORY_QUERY}").send("/candidater", APPLICATION),
        [STORY | {"landing_path": "/candidater"}],
    ),
    (
        "article, legal page, form page",
        lambda v: v.arrive(f"/?{STORY_QUERY}").click("/confidentialite").click("/brochure").send("/brochure", BROCHURE),
        # Sent from no article's form, yet it is the article that brought them.
        [HOME | STORY],
    ),
    (
        "two errors before it is right",
        lambda v: v.arrive(f"/?{STORY_QUERY}", referrer="https://a.example/x").send("/brochure", WRONG).send("/brochure", WRONG).send("/brochure", BROCHURE),
        [HOME | STORY | {"referrer_host": "a.example"}],
    ),
    (
        "thank-you page, then a second form",
        lambda v: v.arrive(f"/?{STORY_QUERY}").send("/brochure", BROCHURE).click("/portes-ouvertes").send("/portes-ouvertes", TELL_ME),
        [HOME | STORY, HOME | STORY],
    ),
    (
        "a poster's code, to the campaign's form",
        lambda v: v.arrive("/c/salon-2026-jpo").send("/portes-ouvertes", TELL_ME),
        [SALON | {"utm_campaign": "salon-2026-jpo", "landing_path": "/portes-ouvertes"}],
    ),
    ("a poster's address typed in capitals, to the article", lambda v: v.arrive("/c/SALON-2026").send("/brochure", BROCHURE), [HOME | SALON]),
    (
        "a link in a bio, through the short address",
        lambda v: v.arrive("/c/salon-2026?utm_content=bio", referrer="https://linkin.example/ecole").send("/brochure", BROCHURE),
        [HOME | SALON | {"utm_content": "bio", "referrer_host": "linkin.example"}],
    ),
    (
        "a campaign's own source isn't overruled by the address",
        lambda v: v.arrive("/c/salon-2026?utm_source=autre&utm_campaign=autre").send("/brochure", BROCHURE),
        [HOME | SALON],
    ),
    ("a short address with the full stop of its sentence", lambda v: v.arrive("/c/salon-2026.").send("/brochure", BROCHURE), [HOME | SALON]),
    ("a campaign that has ended", lambda v: v.arrive("/c/salon-2020").send("/brochure", BROCHURE), [HOME | SALON | {"utm_campaign": "salon-2020"}]),
    ("a code misprinted", lambda v: v.arrive("/c/salon-2062?utm_content=bio").send("/brochure", BROCHURE), [HOME | {"utm_campaign": "salon-2062", "utm_content": "bio"}]),
    (
        "a partner's page, by the link beside its frame",
        lambda v: v.arrive("/brochure?utm_campaign=salon-2026&embed_host=WWW.Partenaire.FR", referrer="https://www.partenaire.fr/").send("/brochure", BROCHURE),
        [{"utm_campaign": "salon-2026", "embed_host": "www.partenaire.fr", "referrer_host": "www.partenaire.fr", "landing_path": "/brochure"}],
    ),
    (
        "a partner's page, in the frame that the script puts there",
        lambda v: v.arrive("/embed/portes-ouvertes?utm_campaign=salon-2026&embed_host=www.partenaire.fr", referrer="https://www.partenaire.fr/").send("/embed/portes-ouvertes", TELL_ME),
        [{"utm_campaign": "salon-2026", "embed_host": "www.partenaire.fr", "referrer_host": "www.partenaire.fr", "landing_path": "/embed/portes-ouvertes"}],
    ),
    (
        "an old address of the article",
        lambda v: v.arrive(f"/articles/ia-cinema-audiovisuel?{STORY_QUERY}", referrer="https://a.example/").send("/brochure", BROCHURE),
        [HOME | STORY | {"landing_path": "/articles/ia-cinema-audiovisuel", "referrer_host": "a.example"}],
    ),
    (
        "texts too long, and markup",
        lambda v: v.arrive(f"/?utm_content={'x' * 500}&utm_term=%3Cb%3E%22%27").send("/brochure", BROCHURE),
        [HOME | {"utm_content": "x" * LIMIT, "utm_term": "<b>\"'"}],
    ),
    (
        "two visits by two ways",
        lambda v: v.arrive(f"/?{STORY_QUERY}").send("/brochure", BROCHURE).arrive("/c/salon-2026").send("/portes-ouvertes", TELL_ME),
        [HOME | STORY, HOME | SALON],
    ),
]  # fmt: skip


@pytest.fixture
def campaigns(app: Flask) -> None:
    add_campaign(app, "salon-2026")
    add_campaign(app, "salon-2026-jpo", target="open-day")
    add_campaign(app, "salon-2020", starts_on=date(2020, 1, 1), ends_on=date(2020, 1, 31))


@pytest.mark.usefixtures("campaigns")
@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("journey", "kept"), [row[1:] for row in JOURNEYS], ids=[row[0] for row in JOURNEYS])
def test_journey_arrives_in_the_csv(client: CheckedClient, app: Flask, journey: Journey, kept: Kept) -> None:
    journey(Visitor(client))

    assert [{name: row[name] for name in NAMES if row[name]} for row in export(app)] == kept
