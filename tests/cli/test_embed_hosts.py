"""embed-hosts: who may frame the forms, as browsers name them."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from microsite.campaigns.queries import allowed_origins
from microsite.config import load_settings
from microsite.db import db


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def _run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["embed-hosts", *arguments])


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
def test_site_is_kept_as_browsers_write_it(app: Flask, typed: str, kept: str) -> None:
    assert _run(app, "add", typed, "--note", "Salon de Lyon").output == f"Autorisé : {kept}\n"

    assert _run(app, "list").output == f"{kept}  Salon de Lyon\n"
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
def test_what_is_no_site_is_refused(app: Flask, typed: str) -> None:
    refused = _run(app, "add", typed)

    assert refused.exit_code == 2
    assert "comme https://www.partenaire.fr" in refused.output
    assert _run(app, "list").output == "Aucun site autorisé.\n"


def test_site_is_allowed_once_and_removed_by_its_name(app: Flask) -> None:
    _run(app, "add", "https://www.partenaire.fr")

    assert (
        _run(app, "add", "https://www.partenaire.fr/").output == "Error: https://www.partenaire.fr est déjà autorisé.\n"
    )
    assert _run(app, "remove", "https://WWW.partenaire.fr").output == "Retiré : https://www.partenaire.fr\n"
    again = _run(app, "remove", "https://www.partenaire.fr")
    assert (again.exit_code, again.output) == (1, "Error: https://www.partenaire.fr n’est pas dans la liste.\n")


def test_site_that_the_setting_still_allows_is_told_as_such(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_EMBED_HOSTS="https://www.partenaire.fr")
    _run(app, "add", "https://www.partenaire.fr")

    removed = _run(app, "remove", "https://www.partenaire.fr")

    assert (removed.exit_code, removed.stdout) == (0, "Retiré de la liste : https://www.partenaire.fr\n")
    assert removed.stderr == (
        "Attention : MICROSITE_EMBED_HOSTS l’autorise encore ; retirez-le de ce réglage, puis redémarrez le site.\n"
    )
    assert _run(app, "list").output == "https://www.partenaire.fr  (MICROSITE_EMBED_HOSTS)\n"


def test_site_that_the_setting_alone_allows_is_removed_there(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_EMBED_HOSTS="https://www.partenaire.fr")

    refused = _run(app, "remove", "https://www.partenaire.fr")

    assert (refused.exit_code, refused.output) == (
        1,
        "Error: https://www.partenaire.fr n’est pas dans la liste, mais MICROSITE_EMBED_HOSTS l’autorise : "
        "retirez-le de ce réglage, puis redémarrez le site.\n",
    )


def test_sites_of_the_settings_and_of_the_list_are_allowed_together(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_EMBED_HOSTS="https://b.fr,https://a.fr")
    _run(app, "add", "https://b.fr")
    _run(app, "add", "https://c.fr")

    with app.app_context():
        allowed = allowed_origins(db.session(), set_at_start=app.extensions["settings"].embed_hosts)

    assert allowed == ("https://a.fr", "https://b.fr", "https://c.fr")
    assert _run(app, "list").output.splitlines() == [
        "https://b.fr",
        "https://c.fr",
        "https://b.fr  (MICROSITE_EMBED_HOSTS)",
        "https://a.fr  (MICROSITE_EMBED_HOSTS)",
    ]
