"""Who goes through a page with Tab always sees where they are (WCAG 2.4.7, 2.4.11)."""

from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize

from .conftest import OpenPage, Sites
from .states import STATES

# More than any page has.
_TAB_STOPS = 150
_SCREENS: dict[str, ViewportSize] = {
    "phone": {"width": 320, "height": 640},
    "wide": {"width": 1440, "height": 900},
}

# What shows the focus: an outline that is thick enough, or another frame, ground or colour than without it.
_PREPARE = """() => {
  window.look = element => {
    const style = getComputedStyle(element);
    const hasOutline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    return [hasOutline ? style.outline : '', style.boxShadow, style.backgroundColor, style.borderColor].join();
  };
  window.atRest = new Map([...document.querySelectorAll('*')].map(element => [element, look(element)]));
}"""

# Where the focus is; `top` is what lies over the middle of its first line.
_STOP = """number => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const line = element.getClientRects()[0];
  const top = document.elementFromPoint(line.left + line.width / 2, Math.min(line.top + line.height / 2, innerHeight - 1));
  const isOnScreen = line.top < innerHeight && line.bottom > 0;
  element.dataset.stop ??= number;
  return {
    id: element.dataset.stop,
    name: `${element.tagName} ${element.name ?? ''} ${element.textContent.trim().slice(0, 40)}`,
    // The row of a box may be what lights up.
    isShown: [element, element.parentElement].some(box => look(box) !== atRest.get(box)),
    isCovered: !isOnScreen || !top || !(element.contains(top) || top.control === element),
    by: `${top?.tagName} ${top?.textContent.trim().slice(0, 40)}`,
  };
}"""


@pytest.mark.parametrize("screen", _SCREENS)
@pytest.mark.parametrize(
    "name",
    [
        "page /",
        "errors /candidater",
        "open days, waiting list offered",
        "thanks, brochure",
        "thanks, open day that says more",
        "mailed, stop",
        "404",
    ],
)
def test_each_tab_stop_is_shown_and_covered_by_nothing(
    open_page: OpenPage, sites: Sites, name: str, screen: str
) -> None:
    page = open_page(viewport=_SCREENS[screen], reduced_motion="reduce")
    state = STATES[name]
    state.reach(page, sites(state.site))

    stops = _walk(page)

    assert len(stops) > 3
    assert [stop["name"] for stop in stops if not stop["isShown"]] == []
    assert [(stop["name"], stop["by"]) for stop in stops if stop["isCovered"]] == []


def _walk(page: Page) -> list[dict[str, Any]]:
    """From the top of the page to its end, one Tab at a time."""
    page.evaluate("() => document.activeElement.blur()")
    page.evaluate(_PREPARE)
    stops: dict[str, dict[str, Any]] = {}
    for number in range(_TAB_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP, number)
        if stop is None:
            return list(stops.values())
        # A date field is several stops; its parts show the focus by themselves.
        stops.setdefault(stop["id"], stop)
    raise AssertionError("Tab never leaves the page")
