"""Each form to its thank-you page: by keyboard alone, without JavaScript, on the smallest phone and on a wide screen."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ..answers import BROCHURE, call_off, export, plan_slot
from ..served import Visitor
from .conftest import OpenPage
from .hands import Hand, Keyboard, Pointer, apply, ask_for_brochure, introduce, register
from .sites import Site

FORMS = [
    # form, the door that leads to it, who fills it in, the thank-you page
    pytest.param("/brochure", "Brochure", ask_for_brochure, "Merci, votre brochure est prête", id="brochure"),
    pytest.param("/portes-ouvertes", "Nous rencontrer", register, "Merci, votre demande d’inscription", id="open day"),
    pytest.param("/candidater", "Candidater", apply, "Merci, votre candidature", id="application"),
]
SCREENS: dict[str, dict[str, Any]] = {
    "320 px, light": {"viewport": {"width": 320, "height": 640}, "color_scheme": "light", "is_mobile": True},
    "1440 px, dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
}

Fill = Callable[[Hand], None]


@pytest.mark.parametrize(("action", "door", "fill", "thanks"), FORMS)
def test_form_on_the_article_is_sent_by_keyboard_alone(
    open_page: OpenPage, site: Site, action: str, door: str, fill: Fill, thanks: str
) -> None:
    page = open_page(**SCREENS["320 px, light"])
    page.goto(site.url)
    keyboard = Keyboard(page, page.locator(f'form[action="{action}"]'))

    keyboard.follow(page.get_by_role("navigation").get_by_role("link", name=door))
    fill(keyboard)

    _expect_thanks(page, site, thanks)


@pytest.mark.parametrize(("action", "door", "fill", "thanks"), FORMS)
def test_form_on_its_page_is_sent_by_keyboard_alone(
    open_page: OpenPage, site: Site, action: str, door: str, fill: Fill, thanks: str
) -> None:
    page = open_page(**SCREENS["1440 px, dark"])
    page.goto(f"{site.url}{action}")

    fill(Keyboard(page, page.locator(f'form[action="{action}"]')))

    _expect_thanks(page, site, thanks)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("action", "door", "fill", "thanks"), FORMS)
def test_form_is_sent_without_javascript(
    open_page: OpenPage, site: Site, screen: str, action: str, door: str, fill: Fill, thanks: str
) -> None:
    page = open_page(java_script_enabled=False, **SCREENS[screen])
    page.goto(f"{site.url}{action}")

    fill(Pointer(page.locator(f'form[action="{action}"]')))

    _expect_thanks(page, site, thanks)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
def test_slot_that_fills_up_meanwhile_takes_one_more_press(open_page: OpenPage, site: Site, has_scripts: bool) -> None:
    slot = plan_slot(site.app, day="2099-05-02", capacity=1)
    page = open_page(java_script_enabled=has_scripts, **SCREENS["320 px, light"])
    page.goto(f"{site.url}/portes-ouvertes")
    page.get_by_label("samedi 2 mai 2099").check()
    other = Visitor(site.url)
    other.send(other.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE, slot=slot)
    hand = Pointer(page.locator('form[action="/portes-ouvertes"]'))

    introduce(hand)
    hand.press("M’inscrire")
    expect(page.get_by_role("alert")).to_contain_text("Ce créneau s’est rempli entre-temps.")
    hand.press("M’inscrire")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Merci, votre demande de liste d’attente")
    # The site is other tests' too.
    call_off(site.app, slot)


@pytest.mark.parametrize(("action", "door", "fill", "thanks"), FORMS)
def test_form_is_sent_when_scripts_do_not_arrive(
    page: Page, site: Site, action: str, door: str, fill: Fill, thanks: str
) -> None:
    page.route("**/*.js", lambda route: route.abort("blockedbyclient"))
    page.goto(site.url)

    fill(Pointer(page.locator(f'form[action="{action}"]')))

    _expect_thanks(page, site, thanks)


def test_enter_in_a_field_sends_the_form(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/brochure")
    page.get_by_label("Prénom").fill("Zoé")
    page.get_by_label("Nom", exact=True).fill("Lefèvre")
    page.get_by_label("Adresse e-mail").fill("zoe@exemple.fr")

    page.keyboard.press("Enter")

    _expect_thanks(page, site, "Merci, votre brochure est prête")


def _expect_thanks(page: Page, site: Site, thanks: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(thanks)
    references = {row["reference"] for row in export(site.app)}
    assert any(reference in page.inner_text("main") for reference in references)
