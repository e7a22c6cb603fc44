"""docs/embedding.md: each snippet, copied out of the document, does what the document says."""

import re

import pytest
from playwright.sync_api import Page, expect

from microsite.config import PROJECT_ROOT

from ..answers import export
from .conftest import OpenPage
from .hands import Pointer, apply, ask_for_brochure, register
from .hosts import Host
from .sites import Site
from .test_embeds import Fill, delay

_DOCUMENT = (PROJECT_ROOT / "docs" / "embedding.md").read_text()
_SECTION = re.compile(r"^## (?P<title>.+)$(?P<text>[\s\S]+?)(?=^## |\Z)", re.MULTILINE)
_SNIPPET = re.compile(r"^```(?P<kind>\w+)\n(?P<code>[\s\S]+?)\n```$", re.MULTILINE)
_SNIPPETS = {
    section["title"]: snippet["code"]
    for section in _SECTION.finditer(_DOCUMENT)
    for snippet in _SNIPPET.finditer(section["text"])
}
_PLACEHOLDER = "https://www.exemple.fr"

# What the tool puts around what is pasted there; which form, and who fills it in.
_PASTED = [
    ("Une page HTML", "{}", ask_for_brochure),
    ("WordPress", '<div class="entry-content wp-block-post-content"><p>Bonjour</p>\n{}\n<p>Fin</p></div>', register),
    ("Webflow", '<div class="w-container"><div class="w-embed w-script">{}</div></div>', apply),
    ("Un site qui retire les scripts", "<div>{}</div>", ask_for_brochure),
]
_LINKED = ["Une page HTML", "WordPress", "Webflow"]
_OTHERS = {
    "Une page de liens (Linktree, bio Instagram, lettre d’information)",
    "Compter avec ses propres outils",
}


def _snippet(title: str, site: Site) -> str:
    return _SNIPPETS[title].replace(_PLACEHOLDER, site.url)


def _expect_row(page: Page, site: Site, **values: str) -> None:
    expect(page.locator("iframe").content_frame.get_by_role("heading", level=1)).to_contain_text("Merci")
    row = export(site.app)[-1]
    assert row | values == row


def test_each_snippet_of_the_document_is_tried_here() -> None:
    assert set(_SNIPPETS) == {title for title, *_ in _PASTED} | _OTHERS
    assert len(_SNIPPETS) == _DOCUMENT.count("\n```\n")


@pytest.mark.parametrize(("title", "around", "fill"), _PASTED)
def test_pasted_snippet_brings_a_lead(
    open_host: OpenPage, host: Host, site: Site, title: str, around: str, fill: Fill
) -> None:
    page = open_host("about:blank")
    delay(page, "**/embed.js")
    page.goto(f"{host.url}{host.put(around.format(_snippet(title, site)))}")
    form = page.locator("iframe").content_frame.locator("form")

    expect(form).to_be_visible()
    page.wait_for_load_state()
    assert page.evaluate("shift") < 0.05
    fill(Pointer(form))

    _expect_row(page, site, utm_campaign="salon-2026", embed_host="localhost")
    assert (page.locator("iframe").get_attribute("title") or "").startswith("Formulaire")


@pytest.mark.parametrize("title", _LINKED)
def test_link_for_who_has_no_script_leads_to_the_form(open_host: OpenPage, host: Host, site: Site, title: str) -> None:
    page = open_host(f"{host.url}{host.put(_snippet(title, site))}", java_script_enabled=False)

    page.get_by_role("link", name="ÉSEC").click()

    expect(page.locator("form [name=utm_campaign]")).to_have_value("salon-2026")


def test_link_of_a_bio_leads_to_the_form_with_its_campaign(open_host: OpenPage, host: Host, site: Site) -> None:
    address = _snippet("Une page de liens (Linktree, bio Instagram, lettre d’information)", site)
    path = host.put(f'<a href="{address}">Brochure</a>')
    page = open_host(f"{host.url}{path}")

    page.get_by_role("link", name="Brochure").click()
    ask_for_brochure(Pointer(page.locator("form")))

    expect(page.get_by_role("heading", level=1)).to_contain_text("Merci")
    row = export(site.app)[-1]
    came = {"utm_source": "instagram", "utm_medium": "bio", "utm_campaign": "salon-2026", "referrer_host": "localhost"}
    assert row | came == row


def test_tag_manager_hears_of_the_form_and_of_nobody(open_host: OpenPage, host: Host, site: Site) -> None:
    pasted = _snippet("Compter avec ses propres outils", site) + _snippet("Une page HTML", site)
    page = open_host(f"{host.url}{host.put(pasted)}")

    ask_for_brochure(Pointer(page.locator("iframe").content_frame.locator("form")))

    _expect_row(page, site, utm_campaign="salon-2026")
    told = {"event": "formulaire_envoye", "form": "brochure", "campaign": "salon-2026"}
    assert page.evaluate("window.dataLayer") == [told]
