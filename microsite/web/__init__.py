"""What every page stands on: static files, caching, headers, errors, log line, filters, signed links, form base."""

from flask import Flask

from ..config import Settings
from . import (
    access_log,
    caching,
    concurrency,
    context,
    errors,
    fields,
    framing,
    headers,
    health,
    limits,
    log_lines,
    origins,
    request,
    request_ids,
    security_txt,
    static_files,
    typography,
)
from .access_log import time_requests
from .bodies import init_app as complete_bodies
from .incoming import init_app as read_incoming
from .links import use_keys
from .request import Request

__all__ = ["complete_bodies", "init_app", "read_incoming", "time_requests", "use_keys"]


def init_app(app: Flask, settings: Settings) -> None:
    app.request_class = Request
    log_lines.init_app(app, settings)
    # Registered first: Flask runs after_request functions in reverse, so the log line is written last.
    access_log.init_app(app)
    context.init_app(app)
    request_ids.init_app(app)
    typography.init_app(app)
    fields.init_app(app)
    framing.init_app(app)
    headers.init_app(app, settings)
    caching.init_app(app)
    errors.init_app(app)
    health.init_app(app)
    security_txt.init_app(app)
    request.init_app(app)
    origins.init_app(app)
    limits.init_app(app, settings)
    # In front of Flask, and behind what answers without it: files, and pages of the cache.
    concurrency.init_app(app, settings)
    static_files.init_app(app, settings)
