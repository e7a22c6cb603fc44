"""Pictures of the main pages for docs/screens/: python -m tests.browser.screens, or make screens."""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, ViewportSize

from microsite.config import PROJECT_ROOT

from .chromium import launched
from .sites import Site, opened
from .states import STATES

FOLDER = PROJECT_ROOT / "docs" / "screens"

_PHONE: ViewportSize = {"width": 390, "height": 844}
_WIDE: ViewportSize = {"width": 1440, "height": 900}
# file name: state, screen, colour scheme
_SCREENS = {
    "article-wide": ("page /", _WIDE, "light"),
    "article-phone": ("page /", _PHONE, "light"),
    "brochure-phone": ("page /brochure", _PHONE, "light"),
    "open-days-wide-dark": ("page /portes-ouvertes", _WIDE, "dark"),
    "application-wide": ("page /candidater", _WIDE, "light"),
    "errors-phone-dark": ("errors /candidater", _PHONE, "dark"),
    "thanks-phone": ("thanks, brochure", _PHONE, "light"),
    "not-found-wide": ("404", _WIDE, "light"),
}


def take(browser: Browser, site: Site) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, (state, viewport, scheme) in _SCREENS.items():
        context = browser.new_context(viewport=viewport, locale="fr-FR", reduced_motion="reduce")
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        STATES[state].reach(page, site)
        page.evaluate("() => document.fonts.ready.then(() => null)")
        page.screenshot(path=FOLDER / f"{name}.jpg", quality=85)
        context.close()


def main() -> None:
    with TemporaryDirectory() as folder, opened("samples", Path(folder)) as site, launched() as browser:
        take(browser, site)


if __name__ == "__main__":
    main()
