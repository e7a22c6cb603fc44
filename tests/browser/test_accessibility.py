"""axe-core finds nothing on any page in any state, in either colour scheme."""

from typing import Any

import pytest
from playwright.sync_api import Page

from . import tools
from .conftest import Sites
from .states import STATES

_RUN = """async rules => {
  const runOnly = rules.length ? { type: 'rule', values: rules } : { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
  return (await axe.run({ runOnly, resultTypes: ['violations'] })).violations;
}"""


@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing(page: Page, sites: Sites, name: str) -> None:
    state = STATES[name]
    # Else colours would be read halfway from one scheme to the other.
    page.emulate_media(reduced_motion="reduce")
    state.reach(page, sites(state.site))
    page.evaluate(tools.node_file("axe-core/axe.min.js").read_text())

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme


def violations(page: Page, *rules: str) -> list[str]:
    """What axe-core, which the page holds already, finds in it; by every rule unless some are named."""
    found = page.evaluate(_RUN, list(rules))
    return [line for violation in found for line in _told(violation)]


def _told(violation: dict[str, Any]) -> list[str]:
    return [f"{violation['id']}: {' '.join(node['target'])}: {node['failureSummary']}" for node in violation["nodes"]]
