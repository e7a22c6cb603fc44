"""Every screen of the back-office, opened once: axe-core and Nu find nothing, nothing sticks out, nothing complains."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Response, ViewportSize, expect

from microsite.backoffice.models import Role

from ..backoffice.conftest import PASSWORD, address
from ..injection import addresses
from . import tools
from .chromium import SANDBOX
from .conftest import Sites
from .desk_screens import EXCEPTIONS, SECTIONS, Screen
from .looks import BY_LOOKS, SMALL_TARGETS, STICKS_OUT, add_axe, violations
from .sites import Site
from .test_html import nu_findings
from .watch import watched

_SMALLEST: ViewportSize = {"width": 320, "height": 640}
_PHONE: ViewportSize = {"width": 390, "height": 844}
_WIDE: ViewportSize = {"width": 1440, "height": 900}
# A4 at 96 dots an inch, without its margins.
_SHEET: ViewportSize = {"width": 680, "height": 1000}
# One of each kind: forms and their errors, lists, a person, what is printed, what runs scripts, tables of numbers.
_QUICK = {
    "sign in",
    "home",
    "contacts",
    "contact",
    "new day, errors",
    "door list",
    "door",
    "exports",
    "campaign",
    "report",
}


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


def test_every_screen_has_a_state(app: Flask) -> None:
    """A route that answers a GET and has none of its own shows nobody what it looks like."""
    routes = {
        rule.endpoint.removeprefix("backoffice.")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("backoffice.") and "GET" in (rule.methods or ())
    }
    shown = {screen.endpoint for screens in SECTIONS.values() for screen in screens.values()}

    assert routes - shown == set(EXCEPTIONS)
    assert shown <= routes


def test_one_screen_of_each_kind_is_fit_to_be_used(chromium: Browser, sites: Sites, tmp_path: Path) -> None:
    screens = {name: screen for section in SECTIONS.values() for name, screen in section.items() if name in _QUICK}
    assert set(screens) == _QUICK

    _expect_fit(screens, chromium, sites, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_screens_are_fit_to_be_used(chromium: Browser, sites: Sites, section: str, tmp_path: Path) -> None:
    _expect_fit(SECTIONS[section], chromium, sites, tmp_path)


def _expect_fit(screens: dict[str, Screen], chromium: Browser, sites: Sites, folder: Path) -> None:
    sources: dict[str, str] = {}
    faults: list[str] = []

    with watched(chromium, cookies=frozenset({"equipe"}), reduced_motion="reduce") as page:
        add_axe(page)
        for name, screen in screens.items():
            page.set_viewport_size(_PHONE)
            page.emulate_media(media="screen", color_scheme="light")
            sources[name] = reach(screen, page, sites(screen.site))
            faults += [f"{name}: {fault}" for fault in _faults(page, screen)]

    assert faults == []
    assert nu_findings(sources, folder) == []


@pytest.mark.slow
def test_corpus_of_injections_runs_nowhere_and_fits_a_phone(chromium: Browser, sites: Sites) -> None:
    """What ran, or was kept from running, is an error in the console (watch.py): nothing is called what it calls."""
    site = sites("hostile desk")
    faults: list[str] = []

    with watched(chromium, viewport=_PHONE, cookies=frozenset({"equipe"}), reduced_motion="reduce") as page:
        sign_in(page, site, address(Role.ADMINISTRATOR))
        for endpoint, found in addresses(site.app, at_most=1).items():
            if endpoint not in EXCEPTIONS:
                page.goto(f"{site.url}{found[0]}")
                faults += [f"{endpoint}: {fault}" for fault in _sticking_out(page, _PHONE["width"])]

    assert faults == []


@pytest.fixture(scope="module")
def keeping(chromium: Browser) -> Iterator[Browser]:
    """One that keeps pages whole when they are left (bfcache), as those of visitors do."""
    left_out = ["--disable-back-forward-cache"]
    with chromium.browser_type.launch(
        executable_path=tools.chromium(), args=SANDBOX, ignore_default_args=left_out
    ) as browser:
        yield browser


def test_page_that_may_be_kept_comes_back_whole(keeping: Browser, sites: Sites) -> None:
    """So that the test below shows something."""
    site = sites("desk")
    with watched(keeping) as page:
        page.goto(f"{site.url}/confidentialite")
        page.evaluate("window.isKept = true")
        page.goto(f"{site.url}/brochure")
        page.evaluate("history.back()")
        page.wait_for_url(f"{site.url}/confidentialite", wait_until="commit")

        assert page.evaluate("window.isKept") is True


@pytest.mark.parametrize(("path", "says"), [("contacts", "Contacts"), ("exports", "Exports"), ("equipe", "Équipe")])
def test_back_after_signing_out_shows_nothing_of_the_page(keeping: Browser, sites: Sites, path: str, says: str) -> None:
    """Neither from the cache nor from what a browser keeps of a page that it left."""
    site = sites("desk")
    with watched(keeping, cookies=frozenset({"equipe"})) as page:
        page.goto(f"{site.url}/admissions/connexion")
        page.get_by_label("Adresse e-mail").fill(address(Role.ADMINISTRATOR))
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Me connecter").click()
        page.wait_for_url(f"{site.url}/admissions/")
        page.goto(f"{site.url}/admissions/{path}")
        expect(page.get_by_role("heading", level=1)).to_have_text(says)
        page.get_by_role("button", name="Se déconnecter").click()
        page.wait_for_url(f"{site.url}/admissions/connexion")

        for _ in range(2):
            page.evaluate("history.back()")
            page.wait_for_url(lambda url: "suite=" in url, wait_until="commit")
            expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
            expect(page.get_by_role("button", name="Se déconnecter")).to_have_count(0)


def reach(screen: Screen, page: Page, site: Site) -> str:
    """Open the screen, signed in if need be; the page's source."""
    sent: list[Response] = []

    def keep(response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == page.main_frame:
            sent.append(response)

    page.on("response", keep)
    page.context.clear_cookies()
    if screen.by is not None:
        sign_in(page, site, screen.by if "@" in screen.by else address(Role(screen.by)))
    page.goto(f"{site.url}{screen.path(site)}")
    if screen.act is not None:
        screen.act(page, site)
    expect(page.get_by_role("heading", level=1)).to_contain_text(screen.says)
    page.wait_for_load_state()
    page.remove_listener("response", keep)
    return sent[-1].text()


def sign_in(page: Page, site: Site, email: str) -> None:
    """As they are after the sign-in form, without filling it in again."""
    page.context.add_cookies([{"name": "equipe", "value": site.cookie(email), "url": f"{site.url}/admissions"}])


def _faults(page: Page, screen: Screen) -> list[str]:
    """What is wrong with the page that is open, by width and colour scheme."""
    faults = [f"small target: {found}" for found in page.evaluate(SMALL_TARGETS)]
    faults += [f"phone, light: {found}" for found in violations(page)]
    for viewport in (_SMALLEST, _PHONE, _WIDE):
        page.set_viewport_size(viewport)
        faults += _sticking_out(page, viewport["width"])
    page.emulate_media(color_scheme="dark")
    faults += [f"wide, dark: {found}" for found in violations(page, *BY_LOOKS)]
    if screen.is_printed:
        page.emulate_media(media="print")
        page.set_viewport_size(_SHEET)
        faults += _sticking_out(page, "on paper")
    return faults


def _sticking_out(page: Page, where: int | str) -> list[str]:
    return [f"{where}: sticks out: {found}" for found in page.evaluate(STICKS_OUT)]
