"""Personal data: retention, purge, erasure, the personal page behind mailed links, data requests, register."""

from flask import Flask

from . import personal_page_views  # noqa: F401  # puts its routes on the blueprint
from .views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
