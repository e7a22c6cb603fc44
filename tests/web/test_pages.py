"""Every public address: it answers, it is inspected, and it doesn't disappear."""

import pytest
from flask import Flask

from ..page import CheckedClient

PAGES = (
    "/",
    "/brochure",
    "/portes-ouvertes",
    "/candidater",
    "/confidentialite",
    "/mentions-legales",
    "/accessibilite",
    "/mon-espace",
    "/mon-espace/lien-envoye",
)

# What is printed on flyers, mailed and linked: a line may be added, none may go.
ROUTES = {
    ("/", "GET"),
    ("/articles/<slug>", "GET"),
    ("/brochure", "GET"),
    ("/brochure", "POST"),
    ("/brochure/merci/<token>", "GET"),
    ("/brochure/telecharger/<token>", "GET"),
    ("/brochure/exemplaire/<token>", "GET"),
    ("/brochure/exemplaire/pdf/<token>", "GET"),
    ("/e-mails/confirmer/<token>", "GET"),
    ("/e-mails/confirmer/<token>", "POST"),
    ("/e-mails/arreter/<token>", "GET"),
    ("/e-mails/arreter/<token>", "POST"),
    ("/mon-espace", "GET"),
    ("/mon-espace", "POST"),
    ("/mon-espace/lien-envoye", "GET"),
    ("/mon-espace/<token>", "GET"),
    ("/mon-espace/<token>/<path:rest>", "GET"),
    ("/mon-espace/<token>/inscriptions/<reference>/accompagnants", "POST"),
    ("/mon-espace/<token>/inscriptions/<reference>/acceptation", "POST"),
    ("/mon-espace/<token>/inscriptions/<reference>/annulation", "POST"),
    ("/mon-espace/<token>/alertes/arret", "POST"),
    ("/mon-espace/<token>/accords/<any(email, phone):channel>/don", "POST"),
    ("/mon-espace/<token>/accords/<any(email, phone):channel>/retrait", "POST"),
    ("/mon-espace/<token>/donnees/copie", "POST"),
    ("/mon-espace/<token>/donnees/effacement", "GET"),
    ("/mon-espace/<token>/donnees/effacement", "POST"),
    ("/portes-ouvertes", "GET"),
    ("/portes-ouvertes", "POST"),
    ("/portes-ouvertes/merci/<token>", "GET"),
    ("/portes-ouvertes/creneaux/<int:slot_id>.ics", "GET"),
    ("/candidater", "GET"),
    ("/candidater", "POST"),
    ("/candidater/merci/<token>", "GET"),
    ("/embed/brochure", "GET"),
    ("/embed/brochure", "POST"),
    ("/embed/brochure/merci/<token>", "GET"),
    ("/embed/portes-ouvertes", "GET"),
    ("/embed/portes-ouvertes", "POST"),
    ("/embed/portes-ouvertes/merci/<token>", "GET"),
    ("/embed/candidater", "GET"),
    ("/embed/candidater", "POST"),
    ("/embed/candidater/merci/<token>", "GET"),
    ("/embed.js", "GET"),
    ("/c/", "GET"),
    ("/c/<code>", "GET"),
    ("/confidentialite", "GET"),
    ("/mentions-legales", "GET"),
    ("/accessibilite", "GET"),
    ("/medias/<path:name>", "GET"),
    ("/partage/<version>/<name>.png", "GET"),
    ("/sitemap.xml", "GET"),
    ("/robots.txt", "GET"),
    ("/.well-known/security.txt", "GET"),
    ("/security.txt", "GET"),
    ("/favicon.ico", "GET"),
    ("/apple-touch-icon.png", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
}


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


@pytest.mark.parametrize("path", PAGES)
def test_public_page_answers_and_passes_inspection(client: CheckedClient, path: str) -> None:
    assert client.page(path).status == 200


def test_no_public_address_has_disappeared_or_come_unannounced(app: Flask) -> None:
    answered = {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        # tests/backoffice/test_access.py has staff's.
        if method in ("GET", "POST") and not rule.endpoint.startswith("backoffice.")
    }

    assert answered == ROUTES
