"""What is asked of a page by its looks: nothing sticks out, fingers find their targets, axe-core finds nothing."""

from typing import Any

from playwright.sync_api import Page

from . import tools

# axe's rules whose answer depends on width or colours; the others would read the same document again.
BY_LOOKS = ("color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block")

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

# After the first paint, and the one after that.
PAINTED = """() => new Promise(done => {
  const look = () => {
    const isPainted = performance.getEntriesByType('paint').length > 0;
    requestAnimationFrame(isPainted ? () => requestAnimationFrame(() => setTimeout(done)) : look);
  };
  look();
})"""

_RUN = """async rules => {
  const runOnly = rules.length ? { type: 'rule', values: rules } : { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
  return (await axe.run({ runOnly, resultTypes: ['violations'], iframes: false })).violations;
}"""


def add_axe(page: Page) -> None:
    """Have axe-core in each page that is opened from now on: it takes far longer to send it than to run it."""
    page.add_init_script(path=tools.node_file("axe-core/axe.min.js"))


def violations(page: Page, *rules: str) -> list[str]:
    """What axe-core finds in the page as it stands (add_axe); by every rule unless some are named.

    A frame's page is opened by itself where it is tested: asking after a sandboxed one is an error in the console.
    """
    found = page.evaluate(_RUN, list(rules))
    return [line for violation in found for line in _told(violation)]


def _told(violation: dict[str, Any]) -> list[str]:
    return [f"{violation['id']}: {' '.join(node['target'])}: {node['failureSummary']}" for node in violation["nodes"]]
