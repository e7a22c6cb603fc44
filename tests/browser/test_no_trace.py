"""Chromium through every public address: no cookie, nothing stored, nobody else is asked, no pixel."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from ..answers import add_campaign
from .hosts import LINE, Host
from .sites import Site
from .states import STATES, fill_in_and_press
from .watch import STORED

# What no page links to.
_UNLINKED = ("/c/salon", "/medias/plateau.svg", "/mon-espace/jeton/donnees/copie")
_FORMS = ("brochure", "portes-ouvertes", "candidater")
# What tells somebody else that a page was seen.
_SIGNALS = frozenset({"ping", "beacon", "websocket", "eventsource", "csp_report"})
_LINKS = """() => [...document.querySelectorAll('[href], meta[content^="http"]')]
  .map(node => node.href || node.content).filter(address => address.startsWith('http'))"""
# A picture further down isn't loaded yet: then by what the page says of it.
_PIXELS = """() => [...document.images].filter(picture => Math.min(
  picture.naturalWidth || picture.getAttribute('width'), picture.naturalHeight || picture.getAttribute('height')) < 4)
  .map(picture => picture.src)"""


@dataclass
class _Walk:
    """What the browser does on its way; `hosts` are the site's and those of pages that frame it."""

    adapter: MapAdapter
    hosts: frozenset[str]
    visited: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def see(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.netloc not in self.hosts:
            self.faults.append(f"asked for {request.url}")
        if request.resource_type in _SIGNALS:
            self.faults.append(f"{request.resource_type} to {request.url}")

    def hear(self, response: Response) -> None:
        self.visited.add(self.endpoint(response.url))
        if "set-cookie" in response.headers:
            self.faults.append(f"cookie from {response.url}")

    def endpoint(self, address: str) -> str:
        """Of a GET; empty where there is none."""
        try:
            return str(self.adapter.match(urlsplit(address).path, method="GET")[0])
        except HTTPException:
            return ""

    def look_round(self, page: Page, site: Site) -> None:
        """At what the page, and ours framed in it, keep, show and lead to."""
        for frame in page.frames:
            if not frame.url.startswith(site.url):
                continue
            # In somebody else's page the browser gives a frame no storage to look at; by itself it was looked at before.
            if frame == page.main_frame and (kept := frame.evaluate(STORED)):
                self.faults.append(f"stored by {frame.url}: {kept}")
            self.faults += [f"pixel {picture}" for picture in frame.evaluate(_PIXELS)]
            for link in frame.evaluate(_LINKS):
                if link.startswith(site.url):
                    self.links.setdefault(self.endpoint(link), link)
        self.faults += [f"cookie {cookie}" for cookie in page.context.cookies()]


def _public(app: Flask) -> dict[str, str]:
    """Endpoint → rule, of all that answer a GET and aren't the back-office's."""
    return {
        rule.endpoint: rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.endpoint.startswith("backoffice.")
    }


def test_visitor_leaves_nothing_behind_and_is_told_to_nobody(chromium: Browser, site: Site, host: Host) -> None:
    add_campaign(site.app, "salon")
    walk = _Walk(
        adapter=site.app.url_map.bind("127.0.0.1"),
        hosts=frozenset({urlsplit(site.url).netloc, urlsplit(host.url).netloc}),
    )
    context = chromium.new_context(locale="fr-FR")
    context.on("request", walk.see)
    context.on("response", walk.hear)

    _through_every_state(context.new_page(), walk, site)
    _through_a_form(context.new_page(), walk, site)
    _through_frames(context.new_page(), walk, site, host)
    _fetch_the_rest(context, walk, site)

    assert walk.faults == []
    public = _public(site.app)
    assert {rule for endpoint, rule in public.items() if endpoint not in walk.visited} == set()
    assert len(public) > 30
    context.close()


def _through_every_state(page: Page, walk: _Walk, site: Site) -> None:
    for state in STATES.values():
        if state.site == "samples":
            state.reach(page, site)
            walk.look_round(page, site)


def _through_a_form(page: Page, walk: _Walk, site: Site) -> None:
    page.goto(f"{site.url}/brochure?utm_source=instagram&fbclid=1")
    fill_in_and_press(page)
    page.get_by_role("heading", name="Merci").wait_for()
    walk.look_round(page, site)
    page.close()


def _through_frames(page: Page, walk: _Walk, site: Site, host: Host) -> None:
    for form in _FORMS:
        page.goto(f"{host.url}{host.put(LINE.format(site=site.url, form=form))}")
        page.frame_locator("iframe").get_by_label("Prénom").wait_for()
        walk.look_round(page, site)
    page.close()


def _fetch_the_rest(context: BrowserContext, walk: _Walk, site: Site) -> None:
    """Files and redirections, from one of our own pages: by a link that led to them, or by their bare address."""
    page = context.new_page()
    page.goto(f"{site.url}/mentions-legales")
    bare = [rule for rule in _public(site.app).values() if "<" not in rule]
    articles = [f"/articles/{slug}" for slug in site.app.extensions["articles"]]
    for address in (*(f"{site.url}{path}" for path in (*bare, *articles, *_UNLINKED)), *walk.links.values()):
        if walk.endpoint(address) not in walk.visited:
            page.evaluate("async address => { await fetch(address, {credentials: 'include'}) }", address)
            # Playwright keeps quiet about /favicon.ico.
            walk.visited.add(walk.endpoint(address))
    walk.look_round(page, site)
