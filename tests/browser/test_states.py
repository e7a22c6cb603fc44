"""Every page in every state: it fits, fingers find their targets, and axe-core finds nothing in either colour scheme."""

import pytest
from playwright.sync_api import Page

from .conftest import Sites
from .looks import BY_LOOKS, SMALL_TARGETS, STICKS_OUT, add_axe, violations
from .states import STATES

# One of each kind of page.
_QUICK = {
    "page /",
    "page /portes-ouvertes",
    "open days, waiting list offered",
    "errors /candidater",
    "thanks, brochure",
    "mailed, confirm",
    "space",
    "framed /candidater",
    "404",
    "503",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in _QUICK else pytest.mark.slow) for name in STATES]
)
def test_page_fits_small_screens_and_axe_finds_nothing(phone: Page, sites: Sites, name: str) -> None:
    state = STATES[name]
    # Else colours would be read halfway from one scheme to the other.
    phone.emulate_media(reduced_motion="reduce")
    add_axe(phone)

    state.reach(phone, sites(state.site))

    assert phone.evaluate(STICKS_OUT) == []
    assert phone.evaluate(SMALL_TARGETS) == []
    # What a window of 1280 × 800 is to a page at 200 %.
    phone.set_viewport_size({"width": 640, "height": 400})
    assert phone.evaluate(STICKS_OUT) == []
    phone.set_viewport_size({"width": 1440, "height": 900})
    assert violations(phone) == []
    phone.emulate_media(color_scheme="dark")
    assert violations(phone, *BY_LOOKS) == [], "dark"
