"""What scripts make more comfortable: errors in time, a counter, suggestions, one sending, a guide, definitions."""

import re

import pytest
from playwright.sync_api import Page, Request, expect

from ..trouble import locked
from .hands import Pointer, ask_for_brochure, introduce
from .sites import Site
from .states import press

_COMPLETE = "Saisissez une adresse e-mail complète"


@pytest.fixture
def form(page: Page, site: Site) -> Page:
    page.goto(f"{site.url}/brochure")
    return page


def test_mistake_is_told_when_its_field_is_left_and_not_before(form: Page) -> None:
    email = form.get_by_label("Adresse e-mail")
    email.press_sequentially("zoe@exemple")
    expect(form.get_by_text(_COMPLETE)).to_have_count(0)

    email.press("Tab")

    expect(form.get_by_text(_COMPLETE)).to_be_visible()
    expect(email).to_have_accessible_description(re.compile(_COMPLETE))
    expect(email).to_have_attribute("aria-invalid", "true")


def test_mistake_is_told_no_longer_once_it_is_mended(form: Page) -> None:
    email = form.get_by_label("Adresse e-mail")
    email.press_sequentially("zoe@exemple")
    email.press("Tab")

    email.press_sequentially(".fr")

    expect(form.get_by_text(_COMPLETE)).to_have_count(0)
    expect(email).not_to_have_attribute("aria-invalid", "true")


def test_field_that_is_only_passed_through_is_not_wrong(form: Page) -> None:
    form.get_by_label("Prénom").press("Tab")

    expect(form.get_by_label("Nom", exact=True)).to_be_focused()
    expect(form.get_by_text("Saisissez votre prénom")).to_have_count(0)


def test_summary_of_errors_takes_the_focus_and_leads_to_the_field(form: Page) -> None:
    press(form)
    summary = form.get_by_role("alert")
    expect(summary).to_be_focused()

    summary.get_by_role("link", name="Saisissez votre nom").press("Enter")

    expect(form.get_by_label("Nom", exact=True)).to_be_focused()


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (199, "Encore 1 caractère au moins."),
        (200, "200 caractères sur 4\N{NARROW NO-BREAK SPACE}000."),
        (4002, "2 caractères de trop."),
    ],
)
def test_characters_of_the_motivation_are_counted(page: Page, site: Site, length: int, told: str) -> None:
    page.goto(f"{site.url}/candidater")

    # An emoji is one character to the reader and to the server.
    page.get_by_label("Votre motivation").fill("🎬" * length)

    expect(page.get_by_text(told).first).to_be_visible()


def test_likely_slip_in_an_address_is_offered_mended(form: Page) -> None:
    email = form.get_by_label("Adresse e-mail")
    email.fill("zoe@gmial.com")
    email.press("Tab")

    form.get_by_role("button", name="zoe@gmail.com").press("Enter")

    expect(email).to_have_value("zoe@gmail.com")
    expect(email).to_be_focused()


@pytest.mark.parametrize("address", ["zoe@gmail.com", "zoe@mail.com", "zoe@exemple.fr"])
def test_address_without_a_slip_is_left_alone(form: Page, address: str) -> None:
    email = form.get_by_label("Adresse e-mail")
    email.fill(address)

    email.press("Tab")

    expect(form.get_by_text("Vouliez-vous écrire")).to_have_count(0)


def test_second_press_sends_nothing(form: Page, site: Site) -> None:
    posted: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            posted.append(request.url)

    form.on("request", note)
    introduce(Pointer(form.locator('form[action="/brochure"]')))
    form.get_by_role("button", name="Télécharger").focus()

    with locked(site.folder):
        # It takes a while: whoever is impatient presses again.
        for _ in range(3):
            form.keyboard.press("Enter")

    expect(form.get_by_role("heading", level=1)).to_contain_text("Merci")
    assert len(posted) == 1


def test_form_can_be_sent_again_after_coming_back(form: Page) -> None:
    ask_for_brochure(Pointer(form.locator('form[action="/brochure"]')))
    expect(form.get_by_role("heading", level=1)).to_contain_text("Merci")

    form.go_back()

    expect(form.get_by_role("button", name="Télécharger")).not_to_have_attribute("aria-disabled", "true")


def test_table_of_contents_marks_the_part_that_is_read(page: Page, site: Site) -> None:
    page.goto(site.url)
    contents = page.get_by_role("navigation", name="Sommaire")
    part = contents.get_by_role("link", name="Impacts négatifs")

    part.click()

    expect(part).to_have_attribute("aria-current", "true")
    expect(contents.locator("[aria-current]")).to_have_count(1)


def test_definition_opens_by_keyboard_where_one_reads_and_closes_by_escape(page: Page, site: Site) -> None:
    page.goto(site.url)
    term = page.get_by_role("button", name="VFX").first
    definition = page.get_by_role("status").filter(has_text="Les effets spéciaux fabriqués en postproduction")

    for key in ("Enter", "Space"):
        term.press(key)
        expect(definition).to_be_visible()
        expect(term).to_have_attribute("aria-expanded", "true")

        page.keyboard.press("Escape")
        expect(definition).to_have_count(0)
        expect(term).to_be_focused()
        expect(term).to_have_attribute("aria-expanded", "false")


def test_term_leads_to_the_glossary_without_scripts(page: Page, site: Site) -> None:
    page.route("**/*.js", lambda route: route.abort("blockedbyclient"))
    page.goto(site.url)

    page.get_by_role("link", name="VFX").first.click()

    assert page.url.endswith("#glossaire-vfx")
    expect(page.get_by_text("Les effets spéciaux fabriqués en postproduction")).to_be_in_viewport()
