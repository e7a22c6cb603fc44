"""Whose page a form may be sent from: each combination of what browsers say, and what other programs don't."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select

from microsite.brochures.forms import BrochureForm
from microsite.db import db
from microsite.leads.links import mailed_url
from microsite.leads.models import Submission
from microsite.web.links import sign

from ..answers import BROCHURE
from ..page import CheckedClient, Page
from ..privacy.owners import ask_brochure, space_of

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
OURS, FOREIGN = "http://localhost", "https://mal.example"
PUBLIC = "https://www.ecole.example"
# Sec-Fetch-Site, Origin → whether a page of its own, and one of a frame with the frame's token, is received
COMBINATIONS = [
    ("same-origin", OURS, True, True),
    ("same-origin", "null", True, True),
    ("same-origin", None, True, True),
    ("same-origin", FOREIGN, True, True),  # the browser's own word stands above a header that it repeats
    ("none", None, True, True),
    ("none", "null", True, True),
    ("same-site", OURS, True, True),
    ("same-site", PUBLIC, True, True),
    ("same-site", "https://blog.ecole.example", False, False),
    ("same-site", None, False, False),
    ("cross-site", FOREIGN, False, False),
    ("cross-site", OURS, False, False),
    ("cross-site", None, False, False),
    ("cross-site", "null", False, True),
    ("same-site", "null", False, True),
    (None, None, True, True),
    (None, OURS, True, True),
    (None, f"{OURS}:8000", True, True),
    (None, PUBLIC, True, True),
    (None, "null", False, True),
    (None, FOREIGN, False, False),
    (None, "https://localhost.mal.example", False, False),
    (None, "https://mal.example/localhost", False, False),
    (None, "https://[", False, False),
    (None, "", False, False),
    ("later-standard", OURS, True, True),
    ("later-standard", None, True, True),
    ("later-standard", FOREIGN, False, False),
]
PAGES = ("/brochure", "/embed/brochure")


@pytest.fixture
def engine_name() -> str:
    """The database has no part in it."""
    return "sqlite"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(MICROSITE_PUBLIC_URL=PUBLIC)


def _said(site: str | None, origin: str | None) -> dict[str, str]:
    said = {"Sec-Fetch-Site": site, "Origin": origin}
    return {name: value for name, value in said.items() if value is not None}


def _post(client: CheckedClient, path: str, token: str, *, site: str | None, origin: str | None) -> Page:
    return Page(client.post(path, data=BROCHURE | {"form_token": token}, headers=_said(site, origin)))


def _token(client: CheckedClient, path: str) -> str:
    return client.page(path).form(path).values["form_token"]


def test_each_combination_is_received_or_refused(client: CheckedClient) -> None:
    for site, origin, *received in COMBINATIONS:
        for path, is_received in zip(PAGES, received, strict=True):
            answer = _post(client, path, _token(client, path), site=site, origin=origin)

            assert answer.status == (303 if is_received else 403), (site, origin, path)


@pytest.mark.parametrize("path", PAGES)
def test_refusal_says_why_and_leads_on(client: CheckedClient, path: str) -> None:
    page = _post(client, path, _token(client, path), site="cross-site", origin=FOREIGN)

    assert page.one("h1").text() == "Envoi venu d’un autre site"
    assert "rien n’a été enregistré" in page.text
    assert "/brochure" in {urlsplit(link).path for link in page.links()}
    assert page.response.headers["Cache-Control"] == "no-store"


def test_frame_without_an_origin_needs_a_token_of_a_frame(client: CheckedClient, app: Flask) -> None:
    with app.test_request_context():
        other_purpose = sign("brochures.thanks", ["brochure", "n", "", 1, 1])
        unframed = sign("form", ["brochure", "n", "", 1])
    forged = str(URLSafeTimedSerializer("another key", salt="form").dumps(["brochure", "n", "", 1, 1]))
    for token in ("", "x", "é.é.é", other_purpose, unframed, forged, _token(client, "/brochure")):
        answer = _post(client, "/embed/brochure", token, site="cross-site", origin="null")

        assert answer.status == 403, token
    assert _post(client, "/brochure", _token(client, "/embed/brochure"), site="cross-site", origin="null").status == 403


def test_frame_left_open_overnight_comes_back_with_its_answers(client: CheckedClient) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = _token(client, "/embed/brochure")
        clock.shift(timedelta(days=2))

        page = _post(client, "/embed/brochure", token, site="cross-site", origin="null")
        again = page.form("/embed/brochure")

        assert (page.status, again.values["email"]) == (422, BROCHURE["email"])
        assert (
            _post(client, "/embed/brochure", again.values["form_token"], site="cross-site", origin="null").status == 303
        )


def test_form_rendered_before_tokens_told_frames_apart_is_still_sent(client: CheckedClient, app: Flask) -> None:
    with app.test_request_context():
        old = sign("form", ["brochure", "nonce", BrochureForm().shown(), 1])

    assert _post(client, "/brochure", old, site="same-origin", origin=OURS).status == 303


def test_buttons_of_the_personal_page_are_pressed_there_alone(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    button = f"{space_of(app)}/donnees/copie"

    assert client.post(button, headers=_said("cross-site", FOREIGN)).status_code == 403
    assert client.post(button, headers=_said("same-origin", OURS)).status_code == 303


def test_mail_provider_stops_e_mails_from_wherever_it_is(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    with app.app_context():
        link = urlsplit(mailed_url("privacy.stop_emails", db.session.scalars(select(Submission)).one())).path

    for site, origin in ((None, None), ("cross-site", FOREIGN), ("cross-site", "null")):
        answer = client.post(link, data={"List-Unsubscribe": "One-Click"}, headers=_said(site, origin))
        assert answer.status_code == 200
