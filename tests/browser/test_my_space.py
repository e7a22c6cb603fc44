"""The whole life of a registration on the smallest phone: waiting, offered, taken, changed, given back."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from microsite.web.context import utc_now

from ..answers import plan_slot
from ..privacy.owners import register, space_of
from .conftest import OpenPage
from .sites import Site


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without"])
def test_registration_lives_its_whole_life_on_a_phone(open_page: OpenPage, site: Site, *, has_scripts: bool) -> None:
    day = utc_now() + timedelta(days=400 if has_scripts else 401)
    slot = plan_slot(site.app, capacity=2, day=day.date().isoformat())
    max_, zoe = (f"{name}-{has_scripts}@exemple.fr".lower() for name in ("max", "zoe"))
    first = register(site.app, slot, email=max_, companions=1)
    page = open_page(viewport={"width": 320, "height": 640}, is_mobile=True, java_script_enabled=has_scripts)
    reference = _ask_to_wait(page, site, slot, email=zoe)
    ticket = page.get_by_role("article").filter(has_text=reference)

    page.goto(f"{site.url}{space_of(site.app, zoe)}")
    expect(ticket).to_contain_text("Sur la liste d’attente")

    page.goto(f"{site.url}{space_of(site.app, max_)}")
    expect(page.get_by_role("article")).to_contain_text(first)
    page.get_by_role("button", name="Annuler mon inscription").click()
    _expect(page, "Votre inscription est annulée")

    page.goto(f"{site.url}{space_of(site.app, zoe)}")
    expect(ticket).to_contain_text("Une place vous attend")
    ticket.get_by_role("button", name="J’accepte l’offre").click()
    _expect(page, "C’est réservé")
    expect(ticket.get_by_role("img", name=f"QR code de l’inscription {reference}")).to_be_visible()

    ticket.get_by_label("Personnes qui vous accompagnent").select_option("1")
    ticket.get_by_role("button", name="Changer").click()
    _expect(page, "votre inscription est à jour")
    expect(ticket).to_contain_text("Vos 2 places sont réservées")

    ticket.get_by_label("Personnes qui vous accompagnent").select_option("2")
    ticket.get_by_role("button", name="Changer").click()
    expect(page.get_by_role("alert")).to_contain_text("Il ne reste pas assez de places")
    expect(ticket).to_contain_text("Vos 2 places sont réservées")

    ticket.get_by_role("button", name="Annuler mon inscription").click()
    _expect(page, "Votre inscription est annulée")
    expect(ticket).to_contain_text("Inscription annulée")
    expect(ticket.get_by_role("button")).to_have_count(0)

    # A reload shows the page again, and presses nothing.
    page.reload()
    expect(ticket).to_contain_text("Inscription annulée")


def test_link_is_asked_for_from_any_page(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_role("contentinfo").get_by_role("link", name="Mon espace").click()

    page.get_by_label("Adresse e-mail").fill("zoe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Saisissez une adresse e-mail complète")
    page.get_by_label("Adresse e-mail").fill("zoe@exemple.fr")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Regardez votre boîte e-mail")


def _ask_to_wait(page: Page, site: Site, slot: str, *, email: str) -> str:
    """Choose the full slot's waiting list in the form; the reference."""
    page.goto(f"{site.url}/portes-ouvertes")
    for label, answer in (("Prénom", "Zoé"), ("Nom", "Lefèvre"), ("Adresse e-mail", email)):
        page.get_by_label(label, exact=True).fill(answer)
    page.locator(f'input[value="{slot}-attente"]').check()
    page.get_by_role("button", name="M’inscrire").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("liste d’attente")
    return page.locator(".reference").inner_text()


def _expect(page: Page, words: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(words)
