"""Who may frame the forms, as browsers name them."""

from collections.abc import Callable

import pytest
from flask import Flask

from microsite.campaigns.queries import allowed_origins
from microsite.config import load_settings, parse_origin
from microsite.db import db

from ..answers import allow_site


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://www.partenaire.fr", "https://www.partenaire.fr"),
        ("https://www.partenaire.fr/", "https://www.partenaire.fr"),  # copied from the address bar
        ("HTTPS://WWW.Partenaire.FR:443", "https://www.partenaire.fr"),  # browsers leave the usual port out
        ("http://localhost:0080", "http://localhost"),
        ("http://127.0.0.1:8443", "http://127.0.0.1:8443"),
        ("https://xn--cole-9oa.fr", "https://xn--cole-9oa.fr"),
    ],
)
def test_site_is_kept_as_browsers_write_it(typed: str, kept: str) -> None:
    assert parse_origin(typed) == kept
    assert load_settings({"MICROSITE_EMBED_HOSTS": f"{typed}, "}).embed_hosts == (kept,)


@pytest.mark.parametrize(
    "typed",
    [
        "www.partenaire.fr",
        "https://www.partenaire.fr/formations",
        "https://*.partenaire.fr",
        "https://école.fr",
        "https://a.fr:99999",
        "https://a.fr; script-src *",
        "javascript://a.fr",
        "*",
        "",
    ],
)
def test_what_is_no_site_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"comme https://www\.partenaire\.fr"):
        parse_origin(typed)


def test_sites_of_the_settings_and_of_the_list_are_allowed_together(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_EMBED_HOSTS="https://b.fr,https://a.fr")
    allow_site(app, "https://b.fr")
    allow_site(app, "https://c.fr")

    with app.app_context():
        allowed = allowed_origins(db.session(), set_at_start=app.extensions["settings"].embed_hosts)

    assert allowed == ("https://a.fr", "https://b.fr", "https://c.fr")
