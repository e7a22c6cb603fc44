"""Every route of the back-office × every role: who gets in. A route without a row here fails."""

import re

import pytest
from flask import Flask

from microsite.backoffice.access import NAVIGATION, PREFIX
from microsite.backoffice.models import Role

from ..page import CheckedClient, Page
from .conftest import Desk

# Who may open it. `-`: anybody, `a`: admissions, `m`: marketing, `A`: administrators.
ROUTES = {
    ("GET", "/admissions/"): "amA",
    ("GET", "/admissions/sauvegardes"): "aA",
    ("GET", "/admissions/connexion"): "-",
    ("POST", "/admissions/connexion"): "-",
    ("GET", "/admissions/connexion/code"): "-",
    ("POST", "/admissions/connexion/code"): "-",
    ("POST", "/admissions/deconnexion"): "amA",
    ("GET", "/admissions/mot-de-passe"): "amA",
    ("POST", "/admissions/mot-de-passe"): "amA",
    ("GET", "/admissions/compte"): "amA",
    ("GET", "/admissions/compte/navigateurs"): "amA",
    ("POST", "/admissions/compte/navigateurs"): "amA",
    ("GET", "/admissions/compte/double-verification"): "amA",
    ("POST", "/admissions/compte/double-verification"): "amA",
    ("POST", "/admissions/compte/double-verification/arret"): "amA",
    ("GET", "/admissions/contacts"): "aA",
    ("GET", "/admissions/contacts/<int:lead_id>"): "aA",
    ("GET", "/admissions/contacts/<int:lead_id>/accords/<int:consent_id>"): "aA",
    ("POST", "/admissions/contacts/<int:lead_id>/verification"): "aA",
    ("POST", "/admissions/quarantaine/levee"): "aA",
    ("POST", "/admissions/quarantaine/indesirables"): "aA",
    ("POST", "/admissions/quarantaine/retour"): "aA",
    ("GET", "/admissions/exports"): "aA",
    ("POST", "/admissions/exports"): "aA",
    ("GET", "/admissions/exports/marques/<form>"): "aA",
    ("POST", "/admissions/exports/marques/<form>"): "aA",
    ("GET", "/admissions/campagnes"): "mA",
    ("GET", "/admissions/campagnes/ajout"): "mA",
    ("POST", "/admissions/campagnes/ajout"): "mA",
    ("GET", "/admissions/campagnes/fiche/<code>"): "mA",
    ("GET", "/admissions/campagnes/fiche/<code>/modification"): "mA",
    ("POST", "/admissions/campagnes/fiche/<code>/modification"): "mA",
    ("GET", "/admissions/campagnes/fiche/<code>/qr.<any(svg, png):kind>"): "mA",
    ("GET", "/admissions/campagnes/fiche/<code>/cadre/<form>"): "mA",
    ("GET", "/admissions/sites"): "mA",
    ("POST", "/admissions/sites"): "mA",
    ("POST", "/admissions/sites/<int:host_id>/retrait"): "mA",
    ("GET", "/admissions/brochure"): "aA",
    ("POST", "/admissions/brochure"): "aA",
    ("POST", "/admissions/brochure/<int:version_id>/choix"): "aA",
    ("GET", "/admissions/brochure/<int:version_id>/fichier"): "aA",
    ("GET", "/admissions/rapport"): "amA",
    ("GET", "/admissions/rapport.csv"): "amA",
    ("GET", "/admissions/equipe"): "A",
    ("POST", "/admissions/equipe"): "A",
    ("GET", "/admissions/equipe/<int:staff_id>"): "A",
    ("POST", "/admissions/equipe/<int:staff_id>"): "A",
    ("POST", "/admissions/equipe/<int:staff_id>/mot-de-passe"): "A",
    ("POST", "/admissions/equipe/<int:staff_id>/desactivation"): "A",
    ("POST", "/admissions/equipe/<int:staff_id>/reactivation"): "A",
    ("GET", "/admissions/journal"): "A",
    ("GET", "/admissions/portes-ouvertes"): "aA",
    ("GET", "/admissions/portes-ouvertes/nouvelle"): "aA",
    ("POST", "/admissions/portes-ouvertes/nouvelle"): "aA",
    ("GET", "/admissions/portes-ouvertes/journees/<int:day_id>"): "aA",
    ("POST", "/admissions/portes-ouvertes/journees/<int:day_id>"): "aA",
    ("GET", "/admissions/portes-ouvertes/journees/<int:day_id>/creneaux"): "aA",
    ("POST", "/admissions/portes-ouvertes/journees/<int:day_id>/creneaux"): "aA",
    ("GET", "/admissions/portes-ouvertes/journees/<int:day_id>/annulation"): "aA",
    ("POST", "/admissions/portes-ouvertes/journees/<int:day_id>/annulation"): "aA",
    ("GET", "/admissions/portes-ouvertes/<int:slot_id>"): "aA",
    ("GET", "/admissions/portes-ouvertes/<int:slot_id>/modification"): "aA",
    ("POST", "/admissions/portes-ouvertes/<int:slot_id>/modification"): "aA",
    ("GET", "/admissions/portes-ouvertes/<int:slot_id>/annulation"): "aA",
    ("POST", "/admissions/portes-ouvertes/<int:slot_id>/annulation"): "aA",
    ("GET", "/admissions/portes-ouvertes/<int:slot_id>/liste"): "aA",
    ("GET", "/admissions/portes-ouvertes/<int:slot_id>/liste.csv"): "aA",
    ("GET", "/admissions/portes-ouvertes/<int:slot_id>/accueil"): "aA",
    ("GET", "/admissions/portes-ouvertes/<int:slot_id>/accueil/places"): "aA",
    ("GET", "/admissions/portes-ouvertes/<int:slot_id>/accueil/sans-inscription"): "aA",
    ("POST", "/admissions/portes-ouvertes/<int:slot_id>/accueil/sans-inscription"): "aA",
    ("GET", "/admissions/accueil/<reference>"): "-",
    ("POST", "/admissions/accueil/<reference>/arrivee"): "aA",
    ("POST", "/admissions/accueil/<reference>/arrivee/annulation"): "aA",
    ("POST", "/admissions/accueil/<reference>/place"): "aA",
    ("POST", "/admissions/contacts/<int:lead_id>/demandes"): "aA",
    ("GET", "/admissions/demandes-donnees"): "aA",
    ("GET", "/admissions/demandes-donnees/<int:request_id>"): "aA",
    ("POST", "/admissions/demandes-donnees/<int:request_id>/copie"): "aA",
    ("POST", "/admissions/demandes-donnees/<int:request_id>/remise"): "aA",
    ("GET", "/admissions/demandes-donnees/<int:request_id>/effacement"): "aA",
    ("POST", "/admissions/demandes-donnees/<int:request_id>/effacement"): "aA",
    ("GET", "/admissions/messages"): "aA",
    ("POST", "/admissions/messages/renvoi"): "aA",
    ("POST", "/admissions/messages/abandon"): "aA",
}
_LETTERS = {Role.ADMISSIONS: "a", Role.MARKETING: "m", Role.ADMINISTRATOR: "A"}
# What no installation has: a view that is reached at all answers 404.
_VALUES = {
    "<int:staff_id>": "999999",
    "<int:lead_id>": "999999",
    "<int:consent_id>": "999999",
    "<int:day_id>": "999999",
    "<int:slot_id>": "999999",
    "<reference>": "JPO-222222",
    "<code>": "aucune",
    "<any(svg, png):kind>": "svg",
    "<form>": "brochure",
    "<int:host_id>": "999999",
    "<int:version_id>": "999999",
    "<int:request_id>": "999999",
    "<token>": "aucun",
}


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


def _address(rule: str) -> str:
    for name, value in _VALUES.items():
        rule = rule.replace(name, value)
    assert "<" not in rule, f"no value for {rule}"
    return rule


def _rules(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method in ("GET", "POST", "PUT", "PATCH", "DELETE") and rule.endpoint.startswith("backoffice.")
    }


def test_every_route_has_its_row(app: Flask) -> None:
    assert _rules(app) == set(ROUTES)


def test_each_role_opens_what_is_its_own_and_nothing_else(desk: Desk) -> None:
    for role, letter in _LETTERS.items():
        client = desk(role)
        for (method, rule), allowed in ROUTES.items():
            if rule == f"{PREFIX}/deconnexion" or allowed == "-":
                continue
            token = client.page(f"{PREFIX}/compte").one("[name=csrf_token]").attributes["value"]

            answer = client.open(
                _address(rule), method=method, data={"csrf_token": token} if method == "POST" else None
            )

            is_refused = answer.status_code == 403
            assert is_refused == (letter not in allowed), (role, method, rule, answer.status_code)


@pytest.mark.parametrize(("method", "rule"), [row for row, allowed in ROUTES.items() if allowed != "-"])
def test_nobody_gets_in_without_signing_in(client: CheckedClient, method: str, rule: str) -> None:
    answer = client.open(_address(rule), method=method)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{PREFIX}/connexion")


@pytest.mark.parametrize("rule", [rule for method, rule in ROUTES if method == "POST"])
def test_form_without_the_session_s_token_changes_nothing(desk: Desk, rule: str) -> None:
    client = desk(Role.ADMINISTRATOR)

    assert client.post(_address(rule)).status_code == 400
    assert client.post(_address(rule), data={"csrf_token": "faux"}).status_code == 400


def test_form_from_another_site_is_refused_whatever_it_holds(desk: Desk) -> None:
    client = desk(Role.ADMINISTRATOR)
    token = client.page(f"{PREFIX}/compte").one("[name=csrf_token]").attributes["value"]

    answer = client.post(f"{PREFIX}/deconnexion", data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 400
    assert client.get(f"{PREFIX}/compte").status_code == 200


@pytest.mark.parametrize("path", [_address(rule) for method, rule in ROUTES if method == "GET"])
def test_pages_are_kept_by_nobody_and_framed_by_nobody(desk: Desk, path: str) -> None:
    page = desk(Role.ADMINISTRATOR).get(path)

    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_every_section_leads_out(app: Flask, desk: Desk) -> None:
    client = desk(Role.ADMINISTRATOR)

    for endpoint in NAVIGATION:
        client.page(app.url_map.bind("").build(endpoint)).form(f"{PREFIX}/deconnexion")


def test_who_is_refused_is_told_in_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk(Role.MARKETING).get("/admissions/contacts?q=lefevre")

    lines = [record.getMessage() for record in caplog.records if record.name == "microsite.backoffice"]
    assert lines == ["staff 1 (marketing) may not open backoffice.leads"]


@pytest.mark.parametrize("value", ["99999999999999999999", "a%00b"])
def test_address_that_can_name_nothing_is_not_found(desk: Desk, value: str) -> None:
    client = desk(Role.ADMINISTRATOR)
    token = client.page(f"{PREFIX}/compte").one("[name=csrf_token]").attributes["value"]

    for method, rule in ROUTES:
        if "<" not in rule:
            continue
        path = re.sub("<(?!any)[^>]*>", value, rule).replace("<any(svg, png):kind>", "svg")
        answer = client.open(path, method=method, data={"csrf_token": token} if method == "POST" else None)
        assert answer.status_code == 404, (method, path)


@pytest.mark.parametrize(("method", "path"), [("GET", "rien"), ("GET", "contacts/999999"), ("POST", "journal")])
def test_what_is_not_there_leads_back_to_the_desk(desk: Desk, method: str, path: str) -> None:
    page = Page(desk(Role.ADMISSIONS).open(f"{PREFIX}/{path}", method=method))

    assert page.status == (404 if method == "GET" else 405)
    assert ("Allow" in page.response.headers) == (method == "POST")
    assert f"{PREFIX}/contacts" in page.links()
    assert not any(link.startswith("/candidater") for link in page.links())
    assert page.response.headers["Cache-Control"] == "no-store"


def test_stranger_sees_the_public_page_for_what_is_not_there(client: CheckedClient) -> None:
    assert any(link.startswith("/candidater") for link in client.page(f"{PREFIX}/rien").links())
