"""Across: what people decide about their own data, behind the links that they are mailed."""

from flask import Flask

from . import personal_page_views, renewal_views, views  # noqa: F401  # each puts its routes on the blueprint
from .blueprint import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
