"""Each role's first five minutes in the back-office, on a phone and at a desk, in a real browser."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from microsite.backoffice.models import Role
from microsite.web.context import utc_now

from ..backoffice.people import send
from ..open_days.desk import register
from .conftest import Sites
from .desk import plan_today, yesterday
from .sites import Site
from .watch import watched

_SCREENS: dict[str, ViewportSize] = {"phone": {"width": 390, "height": 844}, "wide": {"width": 1440, "height": 900}}
_OWN = "une girafe lit le journal"
_numbers = itertools.count(1)

Open = Callable[[], Page]


@pytest.fixture
def site(sites: Sites) -> Site:
    return sites("first day")


@pytest.fixture(params=["phone", pytest.param("wide", marks=pytest.mark.slow)])
def open_desk(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Open]:
    """A browser of somebody else's each time, as wide as this test's; the clipboard can be read."""
    options: dict[str, Any] = {
        "viewport": _SCREENS[request.param],
        "permissions": ["clipboard-read", "clipboard-write"],
    }
    with ExitStack() as stack:
        yield lambda: stack.enter_context(watched(chromium, cookies=frozenset({"equipe"}), **options))


def test_admissions_find_release_print_and_welcome(open_desk: Open, site: Site) -> None:
    page, number = open_desk(), next(_numbers)
    phone = f"+336111111{number:02}"
    send(site.app, f"Inès Nom{number}", email=f"ines{number}@exemple.fr", phone=phone, at=utc_now() - timedelta(days=1))
    send(site.app, f"Tom Retenu{number}", email=f"tom{number}@exemple.fr", is_suspicious=True, at=utc_now())
    title = f"Portes ouvertes n° {number}"
    slot = plan_today(site.app, capacity=5, title=title)
    with yesterday():
        scanned, _ = (register(site.app, slot, f"{name}{number}") for name in ("Scannée", "Cherchée"))

    _arrive(page, site, *_hired(site, Role.ADMISSIONS))
    expect(page.get_by_role("heading", level=1)).to_have_text("Aujourd’hui")
    _go(page, "Contacts")
    page.get_by_label("Rechercher", exact=True).fill(f"06 11 11 11 {number:02}")
    page.get_by_role("button", name="Rechercher").click()
    page.get_by_role("link", name=f"Inès Nom{number}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Inès Nom{number}")
    _go(page, "Contacts")
    page.get_by_role("link", name="Quarantaine").click()
    page.get_by_label(re.compile(f"Tom Retenu{number}")).check()
    page.get_by_role("button", name="Lever la quarantaine").click()
    expect(page.get_by_role("status")).to_contain_text("Quarantaine levée")

    _go(page, "Portes ouvertes")
    day = page.locator("section").filter(has_text=title)
    day.locator("tbody").get_by_role("link").click()
    page.get_by_role("link", name="Liste à imprimer").click()
    page.emulate_media(media="print")
    expect(page.get_by_role("row").filter(has_text=f"Scannée{number}")).to_be_visible()
    expect(page.get_by_role("navigation")).to_have_count(0)
    page.emulate_media(media="screen")

    page.goto(f"{site.url}/admissions/portes-ouvertes/{slot}/accueil")
    page.get_by_label("Nom ou référence").fill(f"cherchee{number}")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Enregistrer l’arrivée").click()
    expect(page.get_by_role("status")).to_contain_text(f"Cherchée{number}")
    page.goto(f"{site.url}/admissions/accueil/{scanned}")
    page.get_by_role("button", name="Enregistrer l’arrivée").click()
    expect(page.get_by_role("status")).to_contain_text("Arrivée notée")
    page.get_by_role("link", name="Tout l’accueil de ce créneau").click()
    page.get_by_role("link", name="Accueillir sans inscription").click()
    page.get_by_label("Prénom").fill("Passante")
    page.get_by_label("Nom", exact=True).fill(f"Nom{number}")
    page.get_by_label("Adresse e-mail").fill(f"passante{number}@exemple.fr")
    page.get_by_role("button", name="Enregistrer l’arrivée").click()
    expect(page.get_by_role("status")).to_contain_text("sans inscription")
    expect(page.locator("[data-count=here]")).to_have_text("3")


def test_marketing_plan_copy_print_and_read(open_desk: Open, site: Site, tmp_path: Path) -> None:
    page, code = open_desk(), f"salon-{next(_numbers)}"

    _arrive(page, site, *_hired(site, Role.MARKETING))
    _go(page, "Campagnes")
    page.get_by_role("link", name="Ajouter une campagne").click()
    page.get_by_label("Code").fill(code)
    page.get_by_label("Nom", exact=True).fill("Salon de l’Étudiant")
    page.get_by_label("Source").fill("Affiche")
    page.get_by_label("Support").fill("QR")
    page.get_by_role("button", name="Ajouter").click()
    expect(page.get_by_role("status").first).to_have_text("Campagne ajoutée.")
    short = page.get_by_label("Courte, à imprimer ou à dicter")
    short.locator("..").get_by_role("button", name="Copier").click()
    expect(page.get_by_text("Copié", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == short.input_value() == f"{site.url}/c/{code}"

    with page.expect_download() as downloading:
        page.get_by_role("button", name="Télécharger en PNG").click()
    downloading.value.save_as(tmp_path / "code.png")
    assert zxingcpp.read_barcodes(Image.open(tmp_path / "code.png"))[0].text == f"{site.url}/c/{code}"
    page.get_by_role("link", name="Aperçu : Brochure").click()
    framed = page.frame_locator("iframe")
    expect(framed.get_by_role("button", name="Télécharger")).to_be_visible()

    _go(page, "Sites partenaires")
    page.get_by_label("Adresse du site").fill(f"https://{code}.example")
    page.get_by_role("button", name="Autoriser").click()
    expect(page.get_by_role("status")).to_contain_text("Site autorisé")
    _go(page, "Rapport")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV pour Excel").click()
    downloading.value.save_as(tmp_path / "rapport.csv")
    assert (tmp_path / "rapport.csv").read_text("utf-8-sig").startswith("Campagne;Liens courts;")
    expect(page.get_by_role("link", name="Contacts")).to_have_count(0)
    page.goto(f"{site.url}/admissions/contacts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Page réservée")


def test_administrator_hires_and_shows_out(open_desk: Open, site: Site) -> None:
    page, theirs, email = open_desk(), open_desk(), f"nouveau{next(_numbers)}@ecole.example"
    _arrive(page, site, *_hired(site, Role.ADMINISTRATOR))

    _go(page, "Équipe")
    page.get_by_label("Nom").fill("Nouveau Collègue")
    page.get_by_label("Adresse e-mail").fill(email)
    page.get_by_label("Rôle").select_option(label="Admissions")
    page.get_by_role("button", name="Ajouter").click()
    given = page.locator(".reference").inner_text()
    _arrive(theirs, site, email, given)
    _go(theirs, "Contacts")
    page.get_by_role("link", name="C’est noté").click()
    page.get_by_role("row").filter(has_text=email).get_by_role("button", name="Désactiver").click()
    expect(page.get_by_role("status")).to_have_text("Compte désactivé, et déconnecté partout.")

    theirs.reload()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Connexion")
    _go(page, "Journal")
    expect(page.get_by_role("row").filter(has_text="Nouveau Collègue").first).to_be_visible()


def _hired(site: Site, role: Role) -> tuple[str, str]:
    """The address of somebody new, and the password that they are told."""
    email = f"{role}{next(_numbers)}@ecole.example"
    arguments = ["staff", "add", email, "--name", f"Camille {role}", "--role", role.value]
    added = site.app.test_cli_runner().invoke(args=arguments)
    assert added.exit_code == 0, added.output
    return email, added.output.rpartition(" : ")[2].strip()


def _arrive(page: Page, site: Site, email: str, given: str) -> None:
    """Sign in for the first time: with what one was told, then a password of one's own; and look at the home page."""
    page.goto(f"{site.url}/admissions/")
    page.get_by_label("Adresse e-mail").fill(email)
    page.get_by_label("Mot de passe").fill(given)
    page.get_by_role("button", name="Me connecter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Changer de mot de passe")
    page.get_by_label("Mot de passe actuel").fill(given)
    page.get_by_label("Nouveau mot de passe").fill(_OWN)
    page.get_by_role("button", name="Changer").click()
    expect(page.get_by_role("status")).to_contain_text("Votre mot de passe est changé")
    _go(page, "Aujourd’hui")


def _go(page: Page, section: str) -> None:
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=section).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(section)
