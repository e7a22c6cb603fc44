"""Attribution: an allow-list of short, printable texts; own pages aren't where visitors come from."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from microsite.campaigns.attribution import LIMIT, NAMES, Attribution, tidy

from ..answers import BROCHURE, export, only
from ..page import CheckedClient


def test_only_known_names_are_read() -> None:
    read = Attribution.from_parameters({"utm_source": "insta", "gclid": "x", "fbclid": "y", "email": "zoe@exemple.fr"})

    assert read.parameters() == {"utm_source": "insta"}


@pytest.mark.parametrize("name", NAMES)
def test_each_text_is_capped_and_cleaned(name: str) -> None:
    kept = Attribution.from_parameters({name: " a\0b\u200bc\u202ed\ufffd" + "é" * 500}).parameters()[name]

    assert kept.startswith("abcdé")
    assert len(kept) == LIMIT


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("utm_source", " Salon  de l’Étudiant ", "salon-de-l’étudiant"),
        ("utm_source", "Facebook\xa0Ads\n", "facebook-ads"),
        ("utm_source", "INSTAGRAM_Stories", "instagram_stories"),
        ("utm_medium", "E-Mail", "e-mail"),
        ("utm_medium", "Pre\u0301roll", "préroll"),  # an accent typed apart, as macOS copies it
        ("utm_campaign", " Rentrée  2027 ", "Rentrée 2027"),  # other texts keep their case
        ("utm_content", "Affiche\tA3", "Affiche A3"),
        ("embed_host", "WWW.Partenaire.FR", "www.partenaire.fr"),
    ],
)
def test_case_and_spaces_are_mended(name: str, typed: str, kept: str) -> None:
    assert Attribution.from_parameters({name: typed}).parameters() == {name: kept}


@given(st.sampled_from(NAMES), st.text(max_size=300))
def test_what_is_tidy_stays_as_it_is_from_page_to_page(name: str, text: str) -> None:
    once = tidy(name, text)

    assert tidy(name, once) == once
    assert len(once) <= LIMIT


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://l.instagram.com/?u=https%3A%2F%2Fx", "l.instagram.com"),
        ("https://WWW.Partenaire.FR:8443/page", "www.partenaire.fr"),
        ("https://site.example/brochure", ""),  # ourselves
        ("https://site.example:8000/", ""),
        ("http://[broken", ""),
        ("", ""),
        (None, ""),
        ("android-app://com.instagram.android/", "com.instagram.android"),
    ],
)
def test_referrer_is_kept_as_a_host_if_it_is_another_site(referrer: str | None, host: str) -> None:
    arrived = Attribution().arriving(path="/", referrer=referrer, own_host="site.example:8000")

    assert arrived.referrer_host == host


def test_first_page_and_first_referrer_stay() -> None:
    first = Attribution().arriving(path="/brochure", referrer="https://a.example", own_host="b.example")
    later = first.arriving(path="/candidater", referrer="https://c.example", own_host="b.example")

    assert (later.landing_path, later.referrer_host) == ("/brochure", "a.example")


def test_sending_from_our_own_page_names_no_referrer(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")

    client.post(form.action, data=form.filled(**BROCHURE), headers={"Referer": "http://localhost/brochure"})

    assert only(export(app))["referrer_host"] == ""


def test_campaign_survives_reading_the_legal_pages(client: CheckedClient) -> None:
    page = client.page("/?utm_campaign=salon")
    for path in ("/confidentialite", "/mentions-legales", "/brochure"):
        page = client.page(next(link for link in page.links() if link.startswith(path)))

    assert page.form("/brochure").values["utm_campaign"] == "salon"


def test_signed_address_is_no_landing_path(client: CheckedClient, app: Flask) -> None:
    answer = client.send(client.page("/brochure").form("/brochure"), **BROCHURE)
    bare = answer.response.headers["Location"].partition("?")[0]
    second = next(link for link in client.page(bare).links() if link.startswith("/portes-ouvertes"))

    client.follow(client.send(client.page(second).form("/portes-ouvertes"), **BROCHURE, slot="prevenez-moi"))

    assert export(app)[1]["landing_path"] == "/brochure/merci"
