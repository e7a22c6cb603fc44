"""One Chromium and one served site of each kind for a test process; pages are watched while a test uses them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from ..answers import allow_site
from ..waiting import PATIENCE
from . import tools
from .chromium import SANDBOX, block_third_party_cookies, launched
from .hosts import LISTEN, SHIFTS, Host, hosted
from .sites import Site, opened
from .watch import watched

expect.set_options(timeout=1000 * PATIENCE)

OpenPage = Callable[..., Page]
Sites = Callable[[str], Site]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def with_window(chromium: Browser) -> Iterator[Browser]:
    """Chromium as people have it: it shows PDFs, and rounds the widths of letters as they are seen."""
    with chromium.browser_type.launch(executable_path=tools.chromium(), args=SANDBOX) as browser:
        yield browser


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Sites]:
    """The served site of that name (sites.KINDS), started when it is asked for first."""
    started: dict[str, Site] = {}
    with ExitStack() as stack:

        def find(kind: str) -> Site:
            if kind not in started:
                folder = tmp_path_factory.mktemp(kind)
                started[kind] = stack.enter_context(opened(kind, folder, template=sqlite_template))
            return started[kind]

        yield find


@pytest.fixture
def site(sites: Sites) -> Site:
    return sites("samples")


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """A new page in a profile of its own; options are those of Browser.new_context."""
    with ExitStack() as stack:

        def open_one(**options: Any) -> Page:
            return stack.enter_context(watched(chromium, **options))

        yield open_one


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A laptop's."""
    return open_page(viewport={"width": 1440, "height": 900})


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    """The smallest one that counts (WCAG 1.4.10)."""
    return open_page(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)


@pytest.fixture(scope="session")
def host(sites: Sites) -> Iterator[Host]:
    with hosted() as host:
        allow_site(sites("samples").app, host.url)
        yield host


@pytest.fixture
def open_host(chromium: Browser, site: Site) -> Iterator[OpenPage]:
    """Opens a page of a host's, listening to our events, without third-party cookies, as most visitors' browsers do.

    Options are those of Browser.new_context.
    """
    with _opening_hosts(chromium, site) as open_one:
        yield open_one


@pytest.fixture
def open_host_with_window(with_window: Browser, site: Site) -> Iterator[OpenPage]:
    with _opening_hosts(with_window, site) as open_one:
        yield open_one


@contextmanager
def _opening_hosts(browser: Browser, site: Site) -> Iterator[OpenPage]:
    partners = frozenset({urlsplit(site.url).netloc})
    with ExitStack() as stack:

        def open_one(address: str, **options: Any) -> Page:
            page = stack.enter_context(watched(browser, partners=partners, **options))
            block_third_party_cookies(page)
            page.add_init_script(f"({LISTEN})(); ({SHIFTS})();")
            page.on("response", _refuse_cookies)
            page.goto(address)
            return page

        yield open_one


def _refuse_cookies(response: Response) -> None:
    assert "set-cookie" not in response.headers, response.url
