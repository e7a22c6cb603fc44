"""What every page stands on: headers, errors, log line, filters, signed links, form base."""

from flask import Flask

from . import access_log, context, errors, fields, headers, health, typography
from .request import Request


def init_app(app: Flask) -> None:
    app.request_class = Request
    context.init_app(app)
    typography.init_app(app)
    fields.init_app(app)
    headers.init_app(app)
    errors.init_app(app)
    health.init_app(app)
    access_log.init_app(app)
