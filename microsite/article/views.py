"""The articles with their three forms, the legal pages, and the pictures that come with the content."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request, send_file, url_for
from werkzeug.security import safe_join
from werkzeug.wrappers import Response as BaseResponse

from ..applications.forms import ApplicationForm
from ..brochures.forms import BrochureForm
from ..brochures.specimen.words import BROCHURE_WORDS
from ..campaigns.carry import carrying_url, read_article
from ..campaigns.kept_pages import keep_page
from ..campaigns.mangled_links import set_canonical_url
from ..campaigns.pages import ARTICLE
from ..content_files import ContentError, Folders, version_of
from ..open_days.forms import OpenDayForm
from ..school import CONSENTS_FILE, SCHOOL_FILE
from ..sharing.tags import share
from ..web.context import current_school
from ..web.static_files import IMMUTABLE
from . import sitemap
from .articles import LEGAL_PAGES, Article, LegalPage, load_articles, load_legal_pages
from .sharing import LEGAL_DESCRIPTIONS, add_article_card, share_article

CONTENT_FILES = (
    SCHOOL_FILE,
    CONSENTS_FILE,
    BROCHURE_WORDS,
    "articles/*.md",
    *(f"legal/{slug}.md" for slug in LEGAL_PAGES),
    "media/*",
)

bp = Blueprint("article", __name__)


def init_app(app: Flask, folders: Folders) -> None:
    folders.check_names(CONTENT_FILES)
    school = app.extensions["school"]
    articles = load_articles(folders)
    if school.home_article not in articles:
        raise ContentError(
            folders.label(SCHOOL_FILE), "clé « home_article »", f"l’un des articles {', '.join(articles)}"
        )
    app.extensions["articles"] = articles
    app.extensions["legal_pages"] = load_legal_pages(folders, school.facts())
    app.extensions["content_folders"] = folders
    for article in articles.values():
        add_article_card(app, school, article)
    set_canonical_url(app, "article.show", _canonical_url)
    app.register_blueprint(bp)
    app.register_blueprint(sitemap.bp)


@bp.get("/")
def home() -> str:
    return _page(_articles()[current_school().home_article])


@bp.get("/articles/<slug>")
def show(slug: str) -> str | BaseResponse:
    if slug == current_school().home_article:
        # One address an article: this one lives at the front page.
        return redirect(carrying_url("article.home"))
    article = _articles().get(slug)
    return _page(article or abort(404))


@bp.get("/confidentialite", defaults={"slug": "confidentialite"}, endpoint="privacy")
@bp.get("/mentions-legales", defaults={"slug": "mentions-legales"}, endpoint="legal_notice")
@bp.get("/accessibilite", defaults={"slug": "accessibilite"}, endpoint="accessibility")
def legal(slug: str) -> str:
    pages = cast(Mapping[str, LegalPage], current_app.extensions["legal_pages"])
    return render_template("article/legal.html", page=pages[slug], sharing=share(LEGAL_DESCRIPTIONS[slug]))


@bp.get("/medias/<path:name>")
def media(name: str) -> Response:
    """A picture of the content folders, the installation's own first."""
    folders = cast(Folders, current_app.extensions["content_folders"])
    for folder in folders.paths:
        path = safe_join(str(folder / "media"), name)
        # Path.is_file() raises for a name longer than any file's.
        if path is not None and os.path.isfile(path):  # noqa: PTH113
            return _picture(Path(path))
    return abort(404)


def _picture(path: Path) -> Response:
    response = send_file(path, max_age=3600)
    # Read again: the picture may have been replaced since the page that names this version was rendered.
    if request.args.get("v") == version_of(path):
        response.headers["Cache-Control"] = IMMUTABLE
    if response.status_code == 200 and response.mimetype == "image/svg+xml":
        # Text: read whole, so that it is compressed as pages are.
        response.direct_passthrough = False
        response.make_sequence()
    return response


def _articles() -> Mapping[str, Article]:
    return cast(Mapping[str, Article], current_app.extensions["articles"])


def _canonical_url(slug: str) -> str | None:
    """The URL of the article of this name in any case; of the home article, the front page with where one landed."""
    name = next((name for name in _articles() if name.lower() == slug.lower()), None)
    path = url_for("article.show", slug=name) if name else request.path
    if path == request.path:
        return None
    return url_for("article.home", landing_path=path) if name == current_school().home_article else path


def _page(article: Article) -> str:
    read_article(article.slug)
    forms = {"brochure": BrochureForm(), "open_day": OpenDayForm(), "application": ApplicationForm()}
    if not any(form.is_unavailable for form in forms.values()):
        keep_page(ARTICLE)
    return render_template("article/show.html", article=article, sharing=share_article(article), forms=forms)
