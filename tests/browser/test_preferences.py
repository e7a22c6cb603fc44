"""What a reader has asked of the system is done: less motion, colours of one's own, paper."""

import pytest
from playwright.sync_api import Page

from .conftest import Sites
from .sites import Site
from .states import STATES, press

_PATHS = ["/", "/brochure", "/portes-ouvertes", "/candidater"]

_ANIMATIONS = "() => document.getAnimations().map(animation => animation.animationName ?? animation.transitionProperty)"

# A frame is all that forced colours leave of a button or a field.
_FRAMELESS = """() => [...document.querySelectorAll('button, input:not([type=hidden]), select, textarea')]
  .filter(element => element.checkVisibility() && !element.closest('[aria-hidden=true]'))
  .filter(element => !element.matches('[type=checkbox], [type=radio]'))
  .filter(element => {
    const style = getComputedStyle(element);
    return style.borderStyle === 'none' || parseFloat(style.borderWidth) < 1;
  })
  .map(element => `${element.tagName} ${element.name} ${element.textContent.trim()}`)"""


@pytest.mark.parametrize("path", _PATHS)
def test_nothing_is_animated_for_who_wants_less_motion(page: Page, site: Site, path: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{site.url}{path}")

    at_first = page.evaluate(_ANIMATIONS)
    page.mouse.wheel(0, 2000)
    page.get_by_role("link").last.hover()

    assert at_first == []
    assert page.evaluate(_ANIMATIONS) == []
    assert page.evaluate("() => getComputedStyle(document.documentElement).scrollBehavior") == "auto"


@pytest.mark.parametrize("path", _PATHS)
def test_forced_colours_leave_every_button_and_field_its_frame(page: Page, site: Site, path: str) -> None:
    page.emulate_media(forced_colors="active")

    page.goto(f"{site.url}{path}")

    assert page.evaluate(_FRAMELESS) == []


@pytest.mark.parametrize("name", [name for name in STATES if name.startswith("thanks")])
def test_printed_confirmation_says_what_matters(page: Page, sites: Sites, name: str) -> None:
    state = STATES[name]
    state.reach(page, sites(state.site))

    page.emulate_media(media="print")

    said = page.get_by_role("main").locator("h1, h2, strong, li").all()
    assert len(said) > 2
    assert [line.inner_text() for line in said if not line.is_visible()] == []


def test_errors_are_told_in_forced_colours_too(page: Page, site: Site) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(f"{site.url}/brochure")

    press(page)

    assert page.get_by_role("alert").evaluate("box => getComputedStyle(box).borderStyle") != "none"
