"""Which effort brought whom: attribution, carried by addresses and hidden fields, never kept by the browser."""

from flask import Flask

from . import carry


def init_app(app: Flask) -> None:
    carry.init_app(app)
