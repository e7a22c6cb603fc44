"""Campaigns as marketing plans them: addresses, codes to print, lines to paste, sites that may show our forms."""

import io
import re
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

import pytest
import zxingcpp
from flask import Flask
from PIL import Image
from sqlalchemy import select

from microsite.backoffice.models import AuditEntry, Role
from microsite.campaigns.counting import current_counter
from microsite.campaigns.models import Campaign, ViewCount
from microsite.campaigns.queries import list_campaigns
from microsite.campaigns.snippets import EMBEDDED, snippet
from microsite.config import PROJECT_ROOT
from microsite.db import db

from ..answers import add_campaign, allow_site
from ..campaigns.conftest import PHONE
from ..page import CheckedClient, Page
from .conftest import Desk, enter

NEW = "/admissions/campagnes/ajout"
SITES = "/admissions/sites"
PAGE = "/admissions/campagnes/fiche/salon-2026"
EDIT = f"{PAGE}/modification"
FAIR = {
    "code": "salon-2026",
    "name": "Salon de l’Étudiant",
    "source": "Affiche",
    "medium": "QR",
    "target": "open-day",
    "starts_on": "2026-11-20",
    "ends_on": "22/11/2026",
}


def _add(client: CheckedClient, **answers: str) -> Page:
    return client.send(client.page(NEW).form(NEW), **FAIR | answers)


def _notes(app: Flask) -> list[tuple[str, dict[str, str]]]:
    with app.app_context():
        rows = db.session.execute(select(AuditEntry.action, AuditEntry.details).order_by(AuditEntry.id))
        return [(action, details) for action, details in rows if action != "sign-in"]


def test_campaign_is_added_with_its_two_addresses(desk: Desk, app: Flask) -> None:
    client = desk(Role.MARKETING)

    page = client.follow(_add(client))

    assert "Campagne ajoutée." in page.text
    short = str(page.one("#adresse-courte").attributes["value"])
    tagged = str(page.one("#adresse-complete").attributes["value"])
    assert urlsplit(short).path == "/c/salon-2026"
    assert client.get(urlsplit(short).path).headers["Location"] == tagged.removeprefix(
        f"{urlsplit(tagged).scheme}://{urlsplit(tagged).netloc}"
    )
    assert "utm_source=affiche&utm_medium=qr" in tagged
    assert "readonly" in page.one("#adresse-courte").attributes
    assert "du 20/11/2026 au 22/11/2026" in client.page("/admissions/campagnes").text
    assert _notes(app) == [("campaign added", {"code": "salon-2026"})]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "Salon 2026"}, "code"),
        ({"code": "salon-2026-" + "x" * 60}, "code"),
        ({"code": "salon--2026"}, "code"),
        ({"code": "été"}, "code"),
        ({"name": ""}, "name"),
        ({"source": "  "}, "source"),
        ({"source": "x" * 201}, "source"),
        ({"target": "autre"}, "target"),
        ({"starts_on": "31/02/2026"}, "starts_on"),
        ({"ends_on": "2026-11-19"}, "ends_on"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_wrong_answer_is_told_and_the_rest_is_kept(desk: Desk, wrong: dict[str, str], field: str) -> None:
    refused = _add(desk(Role.MARKETING), **wrong)

    assert (refused.status, list(refused.errors())) == (422, [field])
    assert refused.form(NEW).values["medium"] == "qr"


def test_code_of_another_campaign_is_refused(desk: Desk) -> None:
    client = desk(Role.MARKETING)
    _add(client)

    refused = _add(client, name="Un autre")

    assert refused.errors() == {"code": "Ce code est déjà celui d’une campagne."}


def test_all_but_the_code_can_be_changed(desk: Desk, app: Flask) -> None:
    client = desk(Role.MARKETING)
    _add(client)
    form = client.page(EDIT).form(EDIT)
    assert form.values | {"name": "Salon de l’Étudiant", "ends_on": "2026-11-22"} == form.values

    page = client.follow(client.send(form, name="Salon, hall 4", ends_on="", code="autre"))

    assert page.one("h1").text() == "Salon, hall 4"
    with app.app_context():
        changed = db.session.scalars(select(Campaign)).one()
        assert (changed.code, changed.ends_on, changed.source) == ("salon-2026", None, "affiche")
    assert _notes(app)[-1] == ("campaign changed", {"code": "salon-2026", "fields": "name, ends_on"})


def test_second_person_to_change_a_campaign_is_told_and_overwrites_nothing(desk: Desk, app: Flask) -> None:
    first, second = desk(Role.MARKETING), desk(Role.ADMINISTRATOR)
    _add(first)
    early, late = first.page(EDIT).form(EDIT), second.page(EDIT).form(EDIT)
    first.send(early, name="Le premier")

    told = second.send(late, name="Le second", note="vu")

    assert told.status == 409
    assert "Quelqu’un d’autre a modifié" in told.text
    assert "Le premier" in told.text
    with app.app_context():
        assert db.session.scalars(select(Campaign.name)).one() == "Le premier"
    again = second.follow(second.send(told.form(EDIT)))
    assert again.one("h1").text() == "Le second"


def test_campaigns_of_one_day_are_listed_alike_on_both_engines(app: Flask) -> None:
    for code in ("salon-b", "salon", "salona", "salon-a"):
        add_campaign(app, code, starts_on=date(2027, 1, 1))
    add_campaign(app, "toujours")
    add_campaign(app, "demain", starts_on=date(2027, 1, 2))

    with app.app_context():
        codes = [campaign.code for campaign in list_campaigns(db.session())]

    assert codes == ["toujours", "demain", "salon", "salon-a", "salona", "salon-b"]


@pytest.mark.parametrize("kind", ["svg", "png"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_code_leads_where_the_short_address_does(desk: Desk, app: Flask, kind: str) -> None:
    add_campaign(app, "salon-2026")
    client = desk(Role.MARKETING)

    drawn = client.get(f"{PAGE}/qr.{kind}?largeur=60&texte=Portes%20ouvertes")

    assert drawn.headers["Content-Disposition"] == f"attachment; filename=salon-2026.{kind}"
    if kind == "png":
        short = client.page(PAGE).one("#adresse-courte").attributes["value"]
        assert zxingcpp.read_barcodes(Image.open(io.BytesIO(drawn.data)))[0].text == short
    else:
        assert drawn.mimetype == "image/svg+xml"
        assert 'width="60mm"' in drawn.get_data(as_text=True)
        assert ">Portes ouvertes</text>" in drawn.get_data(as_text=True)


@pytest.mark.parametrize("query", ["largeur=beaucoup", "largeur=9999999", "largeur=-1", "texte=%00%FF", "largeur="])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_nonsense_asked_of_a_code_is_ignored(desk: Desk, app: Flask, query: str) -> None:
    add_campaign(app, "salon-2026")

    drawn = desk(Role.MARKETING).get(f"{PAGE}/qr.svg?{query}")

    assert drawn.status_code == 200
    assert 'width="40mm"' in drawn.get_data(as_text=True)


def test_lines_to_paste_are_those_of_the_document() -> None:
    document = (PROJECT_ROOT / "docs" / "embedding.md").read_text()
    pasted = re.findall(r"^<noscript>.*?</script>$", document, re.M | re.S)

    # The last one is for a page of light colours.
    themes = ("auto", "auto", "light")
    made = [
        snippet(form, site="https://www.exemple.fr", campaign="salon-2026", school="ÉSEC", theme=theme)
        for form, theme in zip(EMBEDDED, themes, strict=True)
    ]
    assert pasted == made


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_lines_to_paste_hold_the_site_s_address_and_the_campaign(make_app: Callable[..., Flask], desk: Desk) -> None:
    app = make_app(MICROSITE_PUBLIC_URL="http://www.ecole.example")
    add_campaign(app, "salon-2026")
    desk(Role.MARKETING)
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    enter(client, email="marketing@ecole.example")

    page = client.page(PAGE)

    for form in EMBEDDED:
        lines = page.one(f"#extrait-{form.path}").text()
        assert f'src="http://www.ecole.example/embed.js" data-form="{form.path}" data-campaign="salon-2026"' in lines
    assert "MICROSITE_PUBLIC_URL" not in page.text


def test_preview_alone_shows_a_page_of_ours_in_a_frame(desk: Desk, app: Flask) -> None:
    add_campaign(app, "salon-2026")
    client = desk(Role.MARKETING)

    for form in EMBEDDED:
        page = client.page(f"{PAGE}/cadre/{form.path}?theme=dark")
        source = str(page.one("iframe").attributes["src"])

        assert "frame-src 'self'" in page.response.headers["Content-Security-Policy"]
        assert page.ancestors == ["'none'"]
        assert page.one("iframe").attributes["sandbox"] == "allow-scripts"
        assert 'data-theme="dark"' in page.one("#extrait").text()
        framed = client.page(source)
        assert framed.ancestors == ["'self'"]
        assert framed.one("form [name=utm_campaign]").attributes["value"] == "salon-2026"
        assert framed.one("html").attributes["data-theme"] == "dark"
    assert "frame-src" not in client.page(PAGE).response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_only_a_preview_that_was_signed_here_may_be_framed_by_us(client: CheckedClient) -> None:
    assert client.page("/embed/brochure?apercu=1").ancestors == ["'none'"]
    assert client.page("/embed/brochure").ancestors == ["'none'"]


def test_preview_is_no_view(desk: Desk, app: Flask) -> None:
    add_campaign(app, "salon-2026")
    client = desk(Role.MARKETING)
    client.environ_base["HTTP_USER_AGENT"] = PHONE

    client.page(str(client.page(f"{PAGE}/cadre/brochure").one("iframe").attributes["src"]))

    with app.app_context():
        current_counter().flush()
        assert db.session.scalars(select(ViewCount)).all() == []


@pytest.mark.parametrize("path", ["fiche/rien", "fiche/rien/cadre/brochure", "fiche/rien/qr.png", "fiche/salon-2026/cadre/rien"])  # fmt: skip
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_is_not_there_is_not_found(desk: Desk, app: Flask, path: str) -> None:
    add_campaign(app, "salon-2026")

    assert desk(Role.MARKETING).page(f"/admissions/campagnes/{path}").status == 404


def test_site_that_is_added_may_frame_the_forms_until_it_is_removed(desk: Desk, app: Flask) -> None:
    client = desk(Role.MARKETING)

    listed = client.follow(
        client.send(client.page(SITES).form(SITES), origin="HTTPS://www.Partenaire.fr/", note="Lyon")
    )

    assert "https://www.partenaire.fr Lyon" in listed.text
    assert client.page("/embed/brochure").ancestors == ["https://www.partenaire.fr"]
    removal = next(form for form in listed.tree.css("main form") if "retrait" in str(form.attributes["action"]))
    form = listed.form(str(removal.attributes["action"]))
    assert client.send(form).status == 303
    assert client.page("/embed/brochure").ancestors == ["'none'"]
    assert client.send(form).status == 303  # somebody else had removed it
    origin = {"origin": "https://www.partenaire.fr"}
    assert _notes(app) == [("site allowed", origin), ("site removed", origin)]


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("", "Saisissez l’adresse du site."),
        ("www.partenaire.fr", "Saisissez l’adresse d’un site, sans chemin"),
        ("https://partenaire.fr/page", "Saisissez l’adresse d’un site, sans chemin"),
        ("https://a.fr; script-src *", "Saisissez l’adresse d’un site, sans chemin"),
        ("https://partenaire.fr", "Ce site est déjà autorisé."),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_is_no_site_or_known_already_is_refused(desk: Desk, app: Flask, origin: str, said: str) -> None:
    allow_site(app, "https://partenaire.fr")
    client = desk(Role.MARKETING)

    refused = client.send(client.page(SITES).form(SITES), origin=origin)

    assert refused.status == 422
    assert refused.errors()["origin"].startswith(said)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_sites_of_the_operator_are_shown_and_can_not_be_removed(make_app: Callable[..., Flask], desk: Desk) -> None:
    app = make_app(MICROSITE_EMBED_HOSTS="https://operateur.fr")
    desk(Role.MARKETING)
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    enter(client, email="marketing@ecole.example")

    page = client.page(SITES)

    assert "https://operateur.fr Autorisé par le réglage MICROSITE_EMBED_HOSTS" in page.text
    assert page.tree.css("main [action$=retrait]") == []
