"""axe-core finds nothing on any page in any state, in either colour scheme."""

from typing import Any

import pytest
from playwright.sync_api import Page

from . import tools
from .conftest import Sites
from .states import STATES

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = "async tags => (await axe.run({ runOnly: tags, resultTypes: ['violations'] })).violations"


@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing(page: Page, sites: Sites, name: str) -> None:
    state = STATES[name]
    # Else colours would be read halfway from one scheme to the other.
    page.emulate_media(reduced_motion="reduce")
    state.reach(page, sites(state.site))
    page.evaluate(tools.node_file("axe-core/axe.min.js").read_text())

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert [line for violation in page.evaluate(_RUN, _TAGS) for line in _told(violation)] == [], scheme


def _told(violation: dict[str, Any]) -> list[str]:
    return [f"{violation['id']}: {' '.join(node['target'])}: {node['failureSummary']}" for node in violation["nodes"]]
