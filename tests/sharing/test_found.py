"""The site map lists what is to be found and nothing else; icons answer where browsers look for them."""

import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from PIL import Image

from ..page import CheckedClient, Page

PUBLIC = "https://films.example"
NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


def _addresses(client: CheckedClient) -> list[str]:
    answer = client.get("/sitemap.xml")
    assert answer.mimetype == "application/xml"
    root = ET.fromstring(answer.data)  # noqa: S314  # our own
    assert root.tag == f"{NAMESPACE}urlset"
    return [str(node.text) for node in root.iter(f"{NAMESPACE}loc")]


def test_every_address_of_the_site_map_answers_and_calls_itself_so(make_app: Callable[..., Flask]) -> None:
    client = make_app(MICROSITE_PUBLIC_URL=PUBLIC).test_client()
    assert isinstance(client, CheckedClient)

    addresses = _addresses(client)

    assert len(set(addresses)) == len(addresses)
    for address in addresses:
        assert address.startswith(f"{PUBLIC}/")
        page = client.page(urlsplit(address).path)
        assert page.status == 200
        assert page.one("link[rel=canonical]").attributes["href"] == address


def test_site_map_has_every_page_that_may_be_indexed(client: CheckedClient, app: Flask) -> None:
    listed = {urlsplit(address).path for address in _addresses(client)}

    rules = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()))
    paths = [rule.rule for rule in rules if not rule.arguments or rule.defaults]
    answers = [(path, client.get(path)) for path in paths]

    pages = {
        path
        for path, answer in answers
        if (answer.status_code, answer.mimetype) == (200, "text/html") and _is_indexable(Page(answer))
    }
    assert pages == listed
    for _, answer in answers:
        answer.close()


def _is_indexable(page: Page) -> bool:
    robots = page.tree.css_first('meta[name="robots"]')
    return robots is None or "noindex" not in str(robots.attributes["content"])


def test_robots_hides_nothing_and_names_the_site_map(make_app: Callable[..., Flask]) -> None:
    answer = make_app(MICROSITE_PUBLIC_URL=PUBLIC).test_client().get("/robots.txt")

    assert answer.mimetype == "text/plain"
    assert answer.text.splitlines() == ["User-agent: *", "Allow: /", "", f"Sitemap: {PUBLIC}/sitemap.xml"]


def test_icons_answer_at_the_root(client: CheckedClient) -> None:
    with client.get("/favicon.ico") as answer:
        assert answer.mimetype == "image/x-icon"
        icon = Image.open(io.BytesIO(answer.data))
        assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48)}
    with client.get("/apple-touch-icon.png") as answer:
        assert Image.open(io.BytesIO(answer.data)).size == (180, 180)
    links = {str(link.attributes["href"]) for link in client.page("/").tree.css("link[rel$=icon]")}
    assert {"/favicon.ico", "/apple-touch-icon.png"} < links
