"""Pages that other sites show in a frame: which they are, and the colours that are asked for."""

from flask import Flask, request

from .links import LinkExpired, LinkForged, sign, unsign

PREFIX = "/embed/"
# What follows the reader's system, as everywhere; then what a host page asks for by name.
THEMES = ("auto", "light", "dark")
# What a preview carries, and for how many seconds.
PREVIEW = "apercu"
_PREVIEW_LIFETIME = 3600


def init_app(app: Flask) -> None:
    app.jinja_env.globals["frame_theme"] = theme


def is_framed() -> bool:
    """By the address alone, so that it holds for error pages too."""
    return request.path.startswith(PREFIX)


def theme() -> str:
    asked = request.args.get("theme", "")
    return asked if asked in THEMES else THEMES[0]


def sign_preview() -> str:
    """What makes a framed page one that our own back-office may frame too: in a query, under the name PREVIEW."""
    return sign(PREVIEW, "")


def is_preview() -> bool:
    """Whether staff look at the framed page from the back-office: no visitor, hence no view."""
    try:
        unsign(PREVIEW, request.args.get(PREVIEW, ""), max_age=_PREVIEW_LIFETIME)
    except (LinkForged, LinkExpired):
        return False
    return True
