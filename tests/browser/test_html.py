"""The Nu HTML checker finds nothing in what the site sends, on any page in any state."""

import json
import subprocess
from pathlib import Path

from playwright.sync_api import Page, Response

from ..served import Visitor
from . import tools
from .conftest import Sites
from .sites import Site
from .states import STATES, State

# A short run isn't worth optimizing: without the second compiler it takes less than half, but deeper stacks.
_JVM_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss4m")


def test_nu_html_checker_finds_nothing(page: Page, sites: Sites, tmp_path: Path) -> None:
    sources = {name: _source(state, sites(state.site), page) for name, state in STATES.items()}

    assert nu_findings(sources, tmp_path) == []


def nu_findings(sources: dict[str, str], folder: Path) -> list[str]:
    """What the checker says of these pages, each by its name."""
    java, checker = tools.java(), tools.node_file("vnu-jar/build/dist/vnu.jar")
    for number, source in enumerate(sources.values()):
        (folder / f"{number}.html").write_text(source)
    command = [java, *_JVM_OPTIONS, "-jar", str(checker), "--format", "json", "--stdout", str(folder)]
    checked = subprocess.run(command, capture_output=True, check=False)
    names = list(sources)
    return [
        f"{names[int(Path(message['url']).stem)]}: {message['message']} {message.get('extract', '')}"
        for message in json.loads(checked.stdout)["messages"]
    ]


def _source(state: State, site: Site, page: Page) -> str:
    """The page as it was sent; a browser is only needed where something is pressed."""
    if state.act is None:
        return Visitor(site.url).get(site.address(state.address))[1]
    sent: list[Response] = []

    def keep(response: Response) -> None:
        if response.request.is_navigation_request():
            sent.append(response)

    page.on("response", keep)
    state.reach(page, site)
    return sent[-1].text()
