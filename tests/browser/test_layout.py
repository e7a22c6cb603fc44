"""Nothing sticks out of the screen, nothing moves, and fingers find their targets."""

import pytest
from playwright.sync_api import Page, Route

from .conftest import OpenPage, Sites
from .sites import Site
from .states import STATES

# What is drawn past the right edge, unless it stands in a box that scrolls by itself or is hidden from everybody.
STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth;
  const isExcused = element => {
    for (let box = element; box; box = box.parentElement) {
      if (box.ariaHidden === 'true' || /auto|scroll/.test(getComputedStyle(box).overflowX)) return true;
    }
    return false;
  };
  return [...document.body.querySelectorAll('*')]
    .filter(element => element.checkVisibility({ visibilityProperty: true }))
    .filter(element => element.getBoundingClientRect().right > width + 1 && !isExcused(element))
    .map(element => `${element.tagName} ${element.textContent.trim().slice(0, 40)}`)
    .concat(document.documentElement.scrollWidth > width ? ['the page itself'] : []);
}"""

# WCAG 2.5.8, by the letter: links in a sentence or list of links in a text are excepted.
SMALL_TARGETS = """() => {
  const isInline = element => getComputedStyle(element).display === 'inline';
  const area = element => {
    // The whole row of a box answers.
    const parts = [element, ...(element.labels ?? []), element.closest('.box, .radio')].filter(Boolean);
    const boxes = parts.map(part => part.getBoundingClientRect());
    const least = side => Math.min(...boxes.map(box => box[side]));
    const most = side => Math.max(...boxes.map(box => box[side]));
    return [most('right') - least('left'), most('bottom') - least('top')];
  };
  const controls = 'button, input:not([type=hidden]), select, textarea';
  const found = [];
  for (const element of document.querySelectorAll(`a[href], summary, [tabindex="0"], ${controls}`)) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.closest('[aria-hidden=true]')) continue;
    const isControl = element.matches(controls) || element.closest('nav li') && !isInline(element);
    if (!isControl && isInline(element)) continue;
    const isHiddenUntilFocused = element.getBoundingClientRect().bottom < 0;
    const [width, height] = area(element);
    const least = isControl ? 44 : 24;
    if (!isHiddenUntilFocused && (width < least - 0.5 || height < least - 0.5)) {
      found.push(`${element.tagName} ${element.name ?? ''} ${element.textContent.trim()}: ${width} × ${height}`);
    }
  }
  return found;
}"""

_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const shift of list.getEntries()) {
      window.shifts.push([shift.value, shift.sources.map(source => source.node?.textContent?.slice(0, 40))]);
    }
  }).observe({ type: 'layout-shift', buffered: true });
"""
# After the first paint, and the one after that.
_PAINTED = """() => new Promise(done => {
  const look = () => {
    const isPainted = performance.getEntriesByType('paint').length > 0;
    requestAnimationFrame(isPainted ? () => requestAnimationFrame(() => setTimeout(done)) : look);
  };
  look();
})"""

# WCAG 1.4.12: a reader's own spacing.
_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
    p { margin-block-end: 2em !important; }`);
  document.adoptedStyleSheets.push(sheet);
}"""


@pytest.mark.parametrize("name", STATES)
def test_page_fits_the_smallest_phone_and_a_zoom_of_200_percent(phone: Page, sites: Sites, name: str) -> None:
    state = STATES[name]

    state.reach(phone, sites(state.site))

    assert phone.evaluate(STICKS_OUT) == []
    assert phone.evaluate(SMALL_TARGETS) == []
    # What a window of 1280 × 800 is to a page at 200 %.
    phone.set_viewport_size({"width": 640, "height": 400})
    assert phone.evaluate(STICKS_OUT) == []


@pytest.mark.parametrize("path", ["/", "/brochure", "/portes-ouvertes", "/candidater"])
def test_text_spaced_by_its_reader_needs_no_sideways_scroll(phone: Page, site: Site, path: str) -> None:
    phone.goto(f"{site.url}{path}")

    phone.evaluate(_SPACED)

    assert phone.evaluate(STICKS_OUT) == []


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("path", ["/", "/brochure", "/portes-ouvertes", "/candidater", "/nulle-part"])
def test_nothing_moves_when_late_fonts_and_scripts_arrive(
    open_page: OpenPage, site: Site, path: str, width: int
) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.add_init_script(_SHIFTS)
    page.route(lambda address: address.endswith((".woff2", ".js")), hold)
    page.goto(f"{site.url}{path}", wait_until="commit")
    page.evaluate(_PAINTED)

    for route in late:
        route.continue_()
    page.unroute_all(behavior="wait")
    page.wait_for_load_state()
    page.evaluate("() => document.fonts.ready.then(() => null)")
    page.evaluate(_PAINTED)

    shifts = page.evaluate("window.shifts")
    assert shifts == []
