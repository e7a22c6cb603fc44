"""The Nu HTML checker finds nothing in what the site sends, on any page in any state."""

import json
import subprocess
from pathlib import Path

from playwright.sync_api import Page, Response

from . import tools
from .conftest import Sites
from .states import STATES


def test_nu_html_checker_finds_nothing(page: Page, sites: Sites, tmp_path: Path) -> None:
    java, checker = tools.java(), tools.node_file("vnu-jar/build/dist/vnu.jar")
    sent: list[Response] = []

    def keep(response: Response) -> None:
        if response.request.is_navigation_request():
            sent.append(response)

    page.on("response", keep)

    for number, state in enumerate(STATES.values()):
        state.reach(page, sites(state.site))
        (tmp_path / f"{number}.html").write_bytes(sent[-1].body())
    command = [java, "-jar", str(checker), "--format", "json", "--stdout", str(tmp_path)]
    checked = subprocess.run(command, capture_output=True, check=False)

    names = dict(enumerate(STATES))
    found = [
        f"{names[int(Path(message['url']).stem)]}: {message['message']} {message.get('extract', '')}"
        for message in json.loads(checked.stdout)["messages"]
    ]
    assert found == []
