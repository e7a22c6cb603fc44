"""Which effort brought whom: attribution carried by addresses and hidden fields, campaigns, views counted."""

from flask import Flask

from . import carry, counting
from .views import bp


def init_app(app: Flask) -> None:
    carry.init_app(app)
    counting.init_app(app)
    app.register_blueprint(bp)
