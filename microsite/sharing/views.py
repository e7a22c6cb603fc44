"""/partage: the drawn pictures; and the icons that browsers ask for by themselves at the root."""

from typing import cast

from flask import Blueprint, Flask, Response, abort, current_app, make_response, redirect, send_file
from werkzeug.wrappers import Response as BaseResponse

from ..config import PROJECT_ROOT
from ..web.links import public_url
from .cards import Card, draw

SCHOOL_CARD = "ecole"

_A_DAY, _A_YEAR = 86_400, 31_536_000
_ICONS = PROJECT_ROOT / "static" / "img"

bp = Blueprint("sharing", __name__)


def init_app(app: Flask) -> None:
    school = app.extensions["school"]
    app.extensions["share_cards"] = {}
    line = f"{school.city}, depuis {school.founded}"
    add_card(app, SCHOOL_CARD, Card(title=school.strapline, name=school.name, line=line))
    app.register_blueprint(bp)


def add_card(app: Flask, name: str, card: Card) -> None:
    app.extensions["share_cards"][name] = card


def card_url(name: str) -> str:
    return public_url("sharing.picture", name=name, version=_cards()[name].version)


@bp.get("/partage/<version>/<name>.png")
def picture(version: str, name: str) -> Response | BaseResponse:
    card = _cards().get(name) or abort(404)
    if version != card.version:
        # Shared before the title changed: networks may fetch it late.
        return redirect(card_url(name))
    headers = {"Content-Type": "image/png", "Cache-Control": f"public, max-age={_A_YEAR}, immutable"}
    return make_response(draw(card), headers)


@bp.get("/favicon.ico")
def favicon() -> Response:
    return send_file(_ICONS / "favicon.ico", mimetype="image/x-icon", max_age=_A_DAY)


@bp.get("/apple-touch-icon.png")
def touch_icon() -> Response:
    return send_file(_ICONS / "apple-touch-icon.png", max_age=_A_DAY)


def _cards() -> dict[str, Card]:
    return cast(dict[str, Card], current_app.extensions["share_cards"])
