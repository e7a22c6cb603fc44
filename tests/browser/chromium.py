"""The machine's own Chromium."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from . import tools

# Chromium refuses its sandbox to root.
SANDBOX = ["--no-sandbox"] if os.geteuid() == 0 else []


@contextmanager
def launched() -> Iterator[Browser]:
    program = tools.headless_chromium()
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program, args=SANDBOX) as browser:
        yield browser


def block_third_party_cookies(page: Page) -> None:
    """Without its window Chromium knows no flag for it."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCookieControls", {"enableThirdPartyCookieRestriction": True})
