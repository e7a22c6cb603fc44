"""/embed/…: the forms as other sites frame them; /embed.js: the script that puts them there."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, has_request_context, make_response, render_template, request

from ..applications import views as applications
from ..brochures import views as brochures
from ..campaigns.carry import current_attribution
from ..campaigns.counting import count_page
from ..campaigns.mangled_queries import ADDRESS_VALUE, ENCODED_PARAMETER, PARAMETER, UNDERSCORE
from ..leads.models import FormName
from ..leads.views import Place
from ..open_days import views as open_days
from ..web.framing import THEMES, is_framed, is_preview, theme
from ..web.headers import OWN, page_policy
from .ancestors import Ancestors

LAYOUT = "layouts/embed.html"
SCRIPT_HEADERS = {
    "Content-Type": "text/javascript; charset=utf-8",
    # Its address never changes: a correction reaches every host page within minutes.
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

bp = Blueprint("embeds", __name__)


_PAGES = {
    "embeds.brochure": FormName.BROCHURE,
    "embeds.open_day": FormName.OPEN_DAY,
    "embeds.application": FormName.APPLICATION,
}


def _framed(name: str) -> Place:
    return Place(form=f"embeds.{name}", thanks=f"embeds.{name}_thanks", form_layout=LAYOUT, thanks_layout=LAYOUT)


BROCHURE, OPEN_DAY, APPLICATION = _framed("brochure"), _framed("open_day"), _framed("application")


def init_app(app: Flask) -> None:
    ancestors = Ancestors(app.extensions["settings"].embed_hosts)

    def let_in(response: Response) -> Response:
        if is_framed() and "Location" not in response.headers:
            response.headers["X-Robots-Tag"] = "noindex"
            if is_preview():
                response.headers["Content-Security-Policy"] = page_policy(ancestors=[OWN])
                return response
            allowed = ancestors.current()
            response.headers["Content-Security-Policy"] = page_policy(ancestors=allowed)
            _count(response, allowed)
        return response

    app.after_request(let_in)
    app.register_blueprint(bp)


@bp.route("/embed/brochure", methods=["GET", "POST"])
def brochure() -> Response:
    return brochures.ask_at(BROCHURE)


@bp.get("/embed/brochure/merci/<token>")
def brochure_thanks(token: str) -> Response:
    return brochures.thank_at(BROCHURE, token)


@bp.route("/embed/portes-ouvertes", methods=["GET", "POST"])
def open_day() -> Response:
    return open_days.register_at(OPEN_DAY)


@bp.get("/embed/portes-ouvertes/merci/<token>")
def open_day_thanks(token: str) -> Response:
    return open_days.thank_at(OPEN_DAY, token)


@bp.route("/embed/candidater", methods=["GET", "POST"])
def application() -> Response:
    return applications.apply_at(APPLICATION)


@bp.get("/embed/candidater/merci/<token>")
def application_thanks(token: str) -> Response:
    return applications.thank_at(APPLICATION, token)


@bp.get("/embed.js")
def script() -> Response:
    script = render_template(
        "embeds/embed.js",
        parameter=PARAMETER,
        encoded_parameter=ENCODED_PARAMETER,
        underscore=UNDERSCORE,
        address_value=ADDRESS_VALUE,
    )
    return make_response(script, SCRIPT_HEADERS)


def _count(response: Response, allowed: Iterable[str]) -> None:
    """What a browser refuses to show on an unlisted site is no view; a host that isn't known is given the credit."""
    page = _PAGES.get(request.endpoint or "")
    # A POST that can't be read has no attribution, and is no view either.
    if page is None or request.method != "GET":
        return
    host = current_attribution().embed_host
    if not host or host in {urlsplit(origin).hostname for origin in allowed}:
        count_page(page, response)


@bp.before_request
def _name_the_host() -> None:
    """A frame without our script says by its referrer alone whose page it stands on."""
    came = current_attribution()
    g.attribution = replace(came, embed_host=came.embed_host or came.referrer_host)


@bp.url_defaults
def _keep_theme(_endpoint: str, values: dict[str, Any]) -> None:
    # The form's own address and the thank-you page's: neither has a cookie to remember it by.
    if has_request_context() and theme() != THEMES[0]:
        values.setdefault("theme", theme())
