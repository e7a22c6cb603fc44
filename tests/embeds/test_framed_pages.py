"""The forms in other sites' frames, without a browser: who may frame them, what they keep, what they say when refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from microsite.campaigns.services import remove_embed_host
from microsite.db import db, writing
from microsite.web.framing import THEMES

from ..answers import APPLICATION, BROCHURE, TELL_ME, allow_site, export, only
from ..conftest import Environ
from ..page import CheckedClient, Page
from ..trouble import locked

FORMS = [("/embed/brochure", BROCHURE), ("/embed/portes-ouvertes", TELL_ME), ("/embed/candidater", APPLICATION)]
PARTNER = "https://www.partenaire.fr"
FROM_PARTNER = {"Referer": f"{PARTNER}/"}


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def _thanks(client: CheckedClient, path: str, answers: dict[str, str], query: str = "") -> Page:
    page = client.page(f"{path}{query}")
    return client.follow(client.send(page.form(str(page.one("form").attributes["action"])), **answers))


@pytest.mark.parametrize(("path", "answers"), FORMS)
def test_form_is_sent_without_leaving_the_frame(
    client: CheckedClient, app: Flask, path: str, answers: dict[str, str]
) -> None:
    thanks = _thanks(client, path, answers, "?utm_campaign=salon&utm_source=partenaire&embed_host=www.partenaire.fr")

    assert thanks.is_framed
    assert thanks.one("main").attributes["data-state"] == "thanks"
    row = only(export(app))
    assert row["reference"] in thanks.text
    assert [row[name] for name in ("utm_campaign", "utm_source", "embed_host", "landing_path")] == [
        "salon",
        "partenaire",
        "www.partenaire.fr",
        path,
    ]


@pytest.mark.parametrize(("path", "answers"), FORMS)
def test_refused_form_comes_back_in_the_frame_with_its_answers(
    client: CheckedClient, path: str, answers: dict[str, str]
) -> None:
    form = client.page(f"{path}?utm_campaign=salon").form(path)

    refused = client.send(form, **answers | {"email": "zoe@"})

    assert (refused.status, list(refused.errors())) == (422, ["email"])
    assert refused.form(path).values | {"first_name": "Zoé", "utm_campaign": "salon"} == refused.form(path).values


@pytest.mark.parametrize(("path", "answers"), FORMS)
def test_sandboxed_frame_may_send(client: CheckedClient, app: Flask, path: str, answers: dict[str, str]) -> None:
    form = client.page(path).form(path)

    sent = client.post(form.action, data=form.filled(**answers), headers={"Origin": "null"})

    assert sent.status_code == 303
    only(export(app))


@pytest.mark.parametrize("path", [*(path for path, _ in FORMS), "/embed/rien", "/embed/brochure/merci/faux"])
def test_allowed_sites_alone_may_frame_a_page(make_app: Callable[..., Flask], path: str) -> None:
    app = make_app(MICROSITE_EMBED_HOSTS="https://a.fr,http://localhost:8080")
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    allow_site(app, PARTNER)
    assert client.page(path).ancestors == ["http://localhost:8080", "https://a.fr", PARTNER]

    with app.app_context(), writing():
        remove_embed_host(db.session(), PARTNER)

    assert client.page(path).ancestors == ["http://localhost:8080", "https://a.fr"]


def test_nobody_may_frame_a_page_when_nobody_is_allowed(client: CheckedClient) -> None:
    assert client.page("/embed/brochure").ancestors == ["'none'"]


def test_pages_that_are_not_made_for_frames_stay_out_of_them(client: CheckedClient, app: Flask) -> None:
    allow_site(app, PARTNER)

    assert client.page("/brochure").ancestors == ["'none'"]
    assert client.page("/nulle-part").ancestors == ["'none'"]


@pytest.mark.slow
def test_form_that_could_not_be_kept_still_shows_in_the_frame(
    client: CheckedClient, app: Flask, environ: Environ
) -> None:
    allow_site(app, PARTNER)
    form = client.page("/embed/brochure").form("/embed/brochure")

    with locked(Path(environ["MICROSITE_INSTANCE_PATH"])):
        refused = client.send(form, **BROCHURE)

    assert (refused.status, refused.ancestors) == (503, [PARTNER])
    assert refused.form("/embed/brochure").values["email"] == BROCHURE["email"]


def test_error_page_in_a_frame_has_neither_header_nor_picture(client: CheckedClient) -> None:
    page = client.page("/embed/brochure/merci/faux")

    assert (page.status, page.one("h1").text()) == (404, "Page introuvable")
    assert page.one("main").attributes["data-state"] == "error"
    assert page.tree.css("header, footer, img") == []


@pytest.mark.parametrize("theme", THEMES)
def test_colours_that_the_host_asks_for_last_until_the_end(client: CheckedClient, theme: str) -> None:
    page = client.page(f"/embed/brochure?theme={theme}")
    form = page.form(str(page.one("form").attributes["action"]))

    refused = client.send(form, **BROCHURE | {"email": "zoe@"})
    thanks = client.follow(client.send(form, **BROCHURE))

    assert [shown.one("html").attributes["data-theme"] for shown in (page, refused, thanks)] == [theme] * 3


def test_unknown_colours_are_those_of_the_system(client: CheckedClient) -> None:
    assert client.page("/embed/brochure?theme=%22rose").one("html").attributes["data-theme"] == "auto"


def test_frame_without_our_script_is_told_by_its_referrer(client: CheckedClient, app: Flask) -> None:
    form = client.page("/embed/brochure", headers=FROM_PARTNER).form("/embed/brochure")

    client.post(form.action, data=form.filled(**BROCHURE), headers={"Referer": "http://localhost/embed/brochure"})

    assert only(export(app))["embed_host"] == "www.partenaire.fr"


def test_links_out_of_a_frame_carry_the_campaign(client: CheckedClient) -> None:
    thanks = _thanks(client, "/embed/brochure", BROCHURE, "?utm_campaign=salon&embed_host=a.fr")

    onward = next(link for link in thanks.links() if link.startswith("/portes-ouvertes"))
    second = client.page(onward).form("/portes-ouvertes")
    assert (second.values["utm_campaign"], second.values["embed_host"]) == ("salon", "a.fr")


@pytest.mark.parametrize(
    ("site", "disposition"),
    [
        ("same-origin", "inline"),  # the thank-you page, and the frame on a site that doesn't sandbox it
        ("cross-site", "attachment"),  # a sandboxed frame: browsers show no PDF there
        ("", "inline"),  # older browsers
    ],
)
def test_brochure_is_saved_where_it_cannot_be_shown(client: CheckedClient, site: str, disposition: str) -> None:
    thanks = _thanks(client, "/embed/brochure", BROCHURE)
    link = next(link for link in thanks.links() if "/brochure/telecharger/" in link)

    with client.get(link, headers={"Sec-Fetch-Site": site}) as given:
        assert given.headers["Content-Disposition"].startswith(disposition)
