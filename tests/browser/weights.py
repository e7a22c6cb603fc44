"""What a visit transfers, compressed and with headers, by kind; and what a first one may."""

from collections import Counter
from typing import Any

from playwright.sync_api import Page

# Kilobytes (of 1,000 bytes) for the article, pictures as far as they are seen without scrolling.
BUDGET = {"fonts": 40, "CSS": 10, "JS": 6, "HTML": 18, "pictures": 26}
WHOLE_BUDGET = 100

_KINDS = {
    "Document": "HTML",
    "Stylesheet": "CSS",
    "Script": "JS",
    "Font": "fonts",
    "Image": "pictures",
    "Other": "pictures",  # the icon
}


def transferred(page: Page, url: str) -> Counter[str]:
    """Bytes by kind that opening the address takes; a first visit if the page's context is new."""
    kinds: dict[str, str] = {}
    weights: Counter[str] = Counter()

    def name(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = _KINDS[event["type"]]

    def weigh(event: dict[str, Any]) -> None:
        weights[kinds[event["requestId"]]] += int(event["encodedDataLength"])

    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.responseReceived", name)
    network.on("Network.loadingFinished", weigh)
    page.goto(url, wait_until="networkidle")
    return weights
