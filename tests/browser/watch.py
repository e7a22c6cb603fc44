"""What holds on every page that a test opens: no error in the console, no other host, nothing left in the browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from ..waiting import PATIENCE

# Milliseconds.
_PATIENCE = 1000 * PATIENCE

STORED = """async () => [
  ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...(await indexedDB.databases()).map(db => db.name),
  ...(await caches.keys()), ...(await navigator.serviceWorker.getRegistrations()).map(worker => worker.scope),
]"""


@dataclass
class _Faults:
    partners: frozenset[str]
    expected: str
    found: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        # Chromium reports the status of a page that is refused (404, 422…) as an error of its own.
        is_refusal = "the server responded with a status of" in message.text and _is_page(message)
        is_blocked_by_test = "ERR_BLOCKED_BY_CLIENT" in message.text
        is_expected = bool(self.expected) and self.expected in message.text
        if message.type in ("error", "warning") and not (is_refusal or is_blocked_by_test or is_expected):
            self.found.append(f"console: {message.text}")

    def see(self, request: Request) -> None:
        # A page that a test opens may be of another site than the one before.
        is_ours = request.is_navigation_request() or _host(request.url) in (
            "",
            _host(request.frame.url),
            *self.partners,
        )
        if not is_ours:
            self.found.append(f"asked for {request.url}")


@contextmanager
def watched(
    browser: Browser,
    *,
    partners: frozenset[str] = frozenset(),
    expected: str = "",
    cookies: frozenset[str] = frozenset(),
    **options: Any,
) -> Iterator[Page]:
    """A page in a context of its own; at the end, what a public page must not do is found out.

    `partners` are hosts that its pages may ask, `expected` is in the console messages that the test brings about,
    `cookies` are those that the back-office may keep.
    """
    context = browser.new_context(locale="fr-FR", timezone_id="Europe/Paris", **options)
    context.set_default_timeout(_PATIENCE)
    faults = _Faults(partners=partners, expected=expected)
    page = context.new_page()
    page.on("console", faults.hear)
    page.on("pageerror", lambda error: faults.found.append(f"script: {error}"))
    page.on("request", faults.see)
    try:
        yield page
        assert faults.found == [], faults.found
        assert {cookie.get("name") for cookie in context.cookies()} <= cookies, "a cookie is set"
        if page.url != "about:blank" and options.get("java_script_enabled", True):
            assert page.evaluate(STORED) == [], "something is stored in the browser"
    finally:
        context.close()


def _host(address: str) -> str:
    return urlsplit(address).netloc


def _is_page(message: ConsoleMessage) -> bool:
    # Its own, or a frame's.
    frames = message.page.frames if message.page else []
    return message.location["url"].partition("#")[0] in [frame.url.partition("#")[0] for frame in frames]
