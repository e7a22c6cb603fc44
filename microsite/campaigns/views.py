"""/c/<code>: the short address of a campaign, for posters and QR codes."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, redirect, request, url_for

from ..db import UNAVAILABLE, db
from ..web.errors import log_database_failure
from ..web.links import public_url
from .attribution import Attribution
from .counting import count_view
from .models import Campaign
from .pages import LINK, target_endpoint
from .queries import find_campaign, read_code

bp = Blueprint("campaigns", __name__)


@bp.get("/c/", defaults={"code": ""})
@bp.get("/c/<code>")
def follow(code: str) -> Response:
    """Lead to the campaign's form, or to the article for a code that nobody knows: a misprint mustn't end at a wall.

    A campaign that has ended goes on: its posters still hang, and who comes by one still comes from it.
    """
    try:
        campaign = find_campaign(db.session(), code)
    except UNAVAILABLE as error:
        log_database_failure(error)
        campaign = None
    attribution = _attribution(code, campaign)
    count_view(LINK, attribution)
    query: dict[str, Any] = dict(attribution.parameters())
    return _lead_to(url_for(target_endpoint(campaign.target if campaign else ""), **query))


def short_url(campaign: Campaign) -> str:
    """What is printed: it leads to where the campaign does, even if that changes."""
    return public_url("campaigns.follow", code=campaign.code)


def tagged_url(campaign: Campaign) -> str:
    """Where the short address leads, for what counts clicks by itself or shows the whole address."""
    return public_url(target_endpoint(campaign.target), **_parameters(campaign))


def _attribution(code: str, campaign: Campaign | None) -> Attribution:
    # What the campaign leaves open (a term, a partner's site) may stand in the printed address.
    came = Attribution.from_parameters(request.args)
    if campaign is None:
        # Misprinted, or not to be looked up for now: the report shows the first, and the second loses no visitor.
        return replace(came, utm_campaign=came.utm_campaign or read_code(code))
    return replace(came, **_parameters(campaign))


def _parameters(campaign: Campaign) -> dict[str, str]:
    parameters = {
        "utm_source": campaign.source,
        "utm_medium": campaign.medium,
        "utm_campaign": campaign.code,
        "utm_content": campaign.content,
    }
    return {name: value for name, value in parameters.items() if value}


def _lead_to(address: str) -> Response:
    # The next click counts too, and the target may change: nobody keeps the answer.
    return make_response(redirect(address, 302), {"Cache-Control": "no-store"})
