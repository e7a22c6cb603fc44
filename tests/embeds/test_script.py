"""embed.js as it is sent: small, kept for minutes, for everybody."""

import brotli
import pytest
from flask import Flask

from ..page import CheckedClient


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


def test_script_weighs_three_kilobytes_at_most(client: CheckedClient) -> None:
    sent = client.get("/embed.js", headers={"Accept-Encoding": "br"})

    assert sent.headers["Content-Encoding"] == "br"
    assert len(sent.data) <= 3 * 1024
    assert "demander la brochure" in brotli.decompress(sent.data).decode()


def test_script_is_for_every_site_and_kept_for_minutes(client: CheckedClient) -> None:
    sent = client.get("/embed.js")

    assert sent.mimetype == "text/javascript"
    assert sent.headers["Access-Control-Allow-Origin"] == "*"
    assert sent.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert sent.headers["Cache-Control"] == "public, max-age=300"
    again = client.get("/embed.js", headers={"If-None-Match": sent.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_script_knows_the_forms_that_can_be_framed(client: CheckedClient, app: Flask) -> None:
    script = client.get("/embed.js").get_data(as_text=True)

    framed = {
        rule.rule.removeprefix("/embed/") for rule in app.url_map.iter_rules() if rule.endpoint.startswith("embeds.")
    }
    for form in ("brochure", "portes-ouvertes", "candidater"):
        assert form in framed
        assert f'"{form}": [' in script
