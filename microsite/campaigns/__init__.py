"""Which effort brought whom: attribution carried by addresses and hidden fields, campaigns, views counted."""

from flask import Flask

from ..config import Settings
from . import carry, counting, kept_pages, mangled_links
from .views import bp


def init_app(app: Flask, settings: Settings) -> None:
    carry.init_app(app)
    counting.init_app(app)
    mangled_links.init_app(app)
    # It answers before mangled_links has seen the request, and mends the query itself.
    kept_pages.init_app(app, settings)
    app.register_blueprint(bp)
