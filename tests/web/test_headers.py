"""Security headers on every answer, whatever it is."""

from collections.abc import Callable

import pytest
from flask import Flask

from ..answers import BROCHURE
from ..page import CheckedClient


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


@pytest.mark.parametrize(
    "path", ["/", "/brochure", "/nulle-part", "/healthz", "/readyz", "/static/css/site.css", "/medias/plateau.svg"]
)
def test_headers_are_on_every_answer(client: CheckedClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers

    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    # A sandboxed frame's new tab couldn't open the page.
    assert "Cross-Origin-Opener-Policy" not in headers


def test_each_answer_says_what_it_is_and_in_which_signs(client: CheckedClient) -> None:
    kinds = {
        "/": "text/html; charset=utf-8",
        "/nulle-part": "text/html; charset=utf-8",
        "/robots.txt": "text/plain; charset=utf-8",
        "/sitemap.xml": "application/xml",
        "/embed.js": "text/javascript; charset=utf-8",
        "/static/css/site.css": 'text/css; charset="utf-8"',
        "/medias/plateau.svg": "image/svg+xml; charset=utf-8",
        "/healthz": "text/plain; charset=utf-8",
    }

    for path, kind in kinds.items():
        with client.get(path) as answer:
            assert (path, answer.headers["Content-Type"]) == (path, kind)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"MICROSITE_PUBLIC_URL": "https://films.example"}, "max-age=31536000"),
        (
            {"MICROSITE_PUBLIC_URL": "https://films.example", "MICROSITE_HSTS": "subdomains"},
            "max-age=31536000; includeSubDomains",
        ),
        ({"MICROSITE_PUBLIC_URL": "https://films.example", "MICROSITE_HSTS": "none"}, None),
        # Nobody is to be kept from a site that has no HTTPS.
        ({"MICROSITE_PUBLIC_URL": "http://films.example"}, None),
        ({}, None),
    ],
)
def test_browsers_are_told_to_come_back_by_https(
    make_app: Callable[..., Flask], settings: dict[str, str], told: str | None
) -> None:
    client = make_app(**settings).test_client()

    for path in ("/", "/nulle-part", "/admissions/connexion", "/static/css/site.css"):
        with client.get(path) as answer:
            assert answer.headers.get("Strict-Transport-Security") == told


def test_pages_with_a_token_of_their_own_are_not_stored_or_indexed(client: CheckedClient) -> None:
    thanks = client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))

    assert thanks.response.headers["Cache-Control"] == "no-store"
    assert thanks.response.headers["X-Robots-Tag"] == "noindex"
    assert thanks.response.headers["Referrer-Policy"] == "same-origin"
