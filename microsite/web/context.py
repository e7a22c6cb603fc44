"""What belongs to the running application: its settings, its school, and the filters of its templates."""

from datetime import UTC, datetime
from typing import cast

from flask import Flask, current_app
from jinja2 import StrictUndefined

from ..config import Settings
from ..formatters import FILTERS
from ..school import School


def init_app(app: Flask) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals["school"] = app.extensions["school"]
    app.jinja_env.filters.update(FILTERS)


def current_school() -> School:
    return cast(School, current_app.extensions["school"])


def current_settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def utc_now() -> datetime:
    return datetime.now(UTC)
