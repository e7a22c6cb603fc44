"""What a campaign is shown with: its QR code, and each form as a partner's page will show it."""

from typing import Any

from flask import Response, abort, make_response, render_template, request, url_for

from ...campaigns.qr import Poster
from ...campaigns.snippets import EmbeddedForm, find_embedded, snippet
from ...campaigns.views import short_url
from ...exports.columns import FORMS
from ...leads.models import FormName
from ...sharing.cards import font_file
from ...web.context import current_school, current_settings
from ...web.fields import legible
from ...web.framing import PREVIEW, THEMES, sign_preview
from ...web.headers import page_policy
from ..access import MARKETING, for_roles
from ..blueprint import bp
from .pages import get_campaign

_LABEL_WEIGHT = 500
_LABEL_LIMIT = 60
# Millimetres.
WIDTHS = range(20, 301)
_WIDTH = 40
_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
THEME_LABELS = dict(zip(THEMES, ("Selon le visiteur", "Page claire", "Page sombre"), strict=True))


@bp.get("/campagnes/fiche/<code>/qr.<any(svg, png):kind>")
@for_roles(MARKETING)
def campaign_code(code: str, kind: str) -> Response:
    """Ready to print; `largeur` and `texte` in the query say how wide and what stands under it."""
    campaign = get_campaign(code)
    address = short_url(campaign)
    poster = Poster(
        address=address,
        label=legible(request.args.get("texte", "")).strip()[:_LABEL_LIMIT] or address.partition("://")[2],
        width_mm=_width(),
        font=font_file(_LABEL_WEIGHT),
    )
    response = make_response(poster.svg() if kind == "svg" else poster.png())
    response.mimetype = _TYPES[kind]
    response.headers.set("Content-Disposition", "attachment", filename=f"{campaign.code}.{kind}")
    return response


@bp.get("/campagnes/fiche/<code>/cadre/<form>")
@for_roles(MARKETING)
def campaign_frame(code: str, form: str) -> Response:
    """The form in a frame of ours, which sends nothing: its sandbox allows no sending."""
    campaign, embedded = get_campaign(code), find_embedded(form) or abort(404)
    asked = request.args.get("theme", "")
    theme = asked if asked in THEMES else THEMES[0]
    page = render_template(
        "backoffice/campaign_frame.html",
        campaign=campaign,
        form=embedded,
        label=FORMS[FormName(embedded.name)],
        themes=THEME_LABELS,
        theme=theme,
        source=_framed_url(embedded, campaign.code, theme),
        snippet=snippet(
            embedded,
            site=current_settings().site_url,
            campaign=campaign.code,
            school=current_school().name,
            theme=theme,
        ),
    )
    return make_response(page, {"Content-Security-Policy": page_policy(frames_own=True)})


def _framed_url(form: EmbeddedForm, campaign: str, theme: str) -> str:
    endpoint = f"embeds.{form.name.replace('-', '_')}"
    query: dict[str, Any] = {"utm_campaign": campaign, "theme": theme, PREVIEW: sign_preview()}
    return url_for(endpoint, **query)


def _width() -> int:
    asked = request.args.get("largeur", _WIDTH, type=int)
    return asked if asked in WIDTHS else _WIDTH
