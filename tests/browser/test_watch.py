"""The watch on pages sees what it is there for."""

import re

import pytest
from playwright.sync_api import Browser

from .sites import Site
from .watch import watched

_FAULTS = {
    "cookie": "() => { document.cookie = 'seen=1' }",
    "stored": "() => localStorage.setItem('seen', '1')",
    "console": "() => console.error('broken')",
    "script": "() => setTimeout(() => { throw new Error('broken') })",
    "127.0.0.2": "() => fetch('http://127.0.0.2:9/').catch(() => null)",
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_fault_of_a_page_fails_the_test_that_opened_it(chromium: Browser, site: Site, fault: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(fault)), watched(chromium) as page:
        page.goto(f"{site.url}/mentions-legales")
        page.evaluate(_FAULTS[fault])
        page.evaluate("() => new Promise(done => setTimeout(done))")
