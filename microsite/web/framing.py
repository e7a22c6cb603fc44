"""Pages that other sites show in a frame: which they are, and the colours that are asked for."""

from flask import Flask, request

PREFIX = "/embed/"
# What follows the reader's system, as everywhere; then what a host page asks for by name.
THEMES = ("auto", "light", "dark")


def init_app(app: Flask) -> None:
    app.jinja_env.globals["frame_theme"] = theme


def is_framed() -> bool:
    """By the address alone, so that it holds for error pages too."""
    return request.path.startswith(PREFIX)


def theme() -> str:
    asked = request.args.get("theme", "")
    return asked if asked in THEMES else THEMES[0]
