"""Nothing sticks out of the screen, whatever spacing its reader has; nothing moves."""

import pytest
from playwright.sync_api import Browser, Page, Route

from .looks import PAINTED, STICKS_OUT
from .sites import Site
from .watch import watched

_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const shift of list.getEntries()) {
      window.shifts.push([shift.value, shift.sources.map(source => source.node?.textContent?.slice(0, 40))]);
    }
  }).observe({ type: 'layout-shift', buffered: true });
"""

# WCAG 1.4.12: a reader's own spacing.
_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
    p { margin-block-end: 2em !important; }`);
  document.adoptedStyleSheets.push(sheet);
}"""


@pytest.mark.parametrize("path", ["/", "/brochure", "/portes-ouvertes", "/candidater"])
def test_text_spaced_by_its_reader_needs_no_sideways_scroll(phone: Page, site: Site, path: str) -> None:
    phone.goto(f"{site.url}{path}")

    phone.evaluate(_SPACED)

    assert phone.evaluate(STICKS_OUT) == []


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("path", ["/", "/brochure", "/portes-ouvertes", "/candidater", "/nulle-part"])
def test_nothing_moves_when_late_fonts_and_scripts_arrive(
    with_window: Browser, site: Site, path: str, width: int
) -> None:
    with watched(with_window, viewport={"width": width, "height": 800}) as page:
        assert _shifts_while_late(page, f"{site.url}{path}") == []


def _shifts_while_late(page: Page, address: str) -> list[object]:
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.add_init_script(_SHIFTS)
    page.route(lambda address: address.endswith((".woff2", ".js")), hold)
    page.goto(address, wait_until="commit")
    # The new page's, not of the one that it takes the place of.
    page.locator("h1").wait_for()
    page.evaluate(PAINTED)

    for route in late:
        route.continue_()
    page.unroute_all(behavior="wait")
    page.wait_for_load_state()
    page.evaluate("() => document.fonts.ready.then(() => null)")
    page.evaluate(PAINTED)

    return list(page.evaluate("window.shifts"))
