"""/sitemap.xml and /robots.txt: which pages are to be found. The others say « noindex » themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

from flask import Blueprint, Response, current_app, make_response, render_template

from ..web.context import current_school
from ..web.links import public_url
from .articles import Article

PAGES = (
    "brochures.ask",
    "open_days.register",
    "applications.apply",
    "article.privacy",
    "article.legal_notice",
    "article.accessibility",
)

bp = Blueprint("sitemap", __name__)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`changed` only where somebody wrote it down: a wrong date is worse than none."""

    url: str
    changed: date | None = None


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    entries = [*_articles(), *(Entry(url=public_url(endpoint)) for endpoint in PAGES)]
    return make_response(render_template("article/sitemap.xml", entries=entries), {"Content-Type": "application/xml"})


@bp.get("/robots.txt")
def robots() -> Response:
    # Nothing is disallowed: who may not read a page doesn't see that it wants no indexing.
    lines = ("User-agent: *", "Allow: /", "", f"Sitemap: {public_url('sitemap.sitemap')}", "")
    return Response("\n".join(lines), mimetype="text/plain")


def _articles() -> Iterator[Entry]:
    articles = cast(Mapping[str, Article], current_app.extensions["articles"])
    for slug, article in articles.items():
        is_home = slug == current_school().home_article
        url = public_url("article.home") if is_home else public_url("article.show", slug=slug)
        yield Entry(url=url, changed=article.updated or article.published)
