"""The article is light: what its first visit transfers, by Chromium's own count."""

import pytest

from .conftest import OpenPage
from .sites import Site
from .weights import BUDGET, WHOLE_BUDGET, transferred


@pytest.mark.parametrize("width", [390, 1440])
def test_first_visit_of_the_article_keeps_within_its_budget(open_page: OpenPage, site: Site, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900}, device_scale_factor=2)

    weights = transferred(page, f"{site.url}/")

    assert set(weights) == set(BUDGET)
    assert {kind: size for kind, size in weights.items() if size > BUDGET[kind] * 1000} == {}
    assert weights.total() <= WHOLE_BUDGET * 1000


def test_later_visit_fetches_the_page_alone(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    transferred(page, f"{site.url}/")
    # On a busy machine the icon comes later than everything else.
    transferred(page, f"{site.url}/accessibilite")

    again = transferred(page, f"{site.url}/confidentialite")

    assert {kind for kind, size in again.items() if size > 0} == {"HTML"}
