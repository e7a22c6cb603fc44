"""/admissions: the back-office's pages, put together."""
# ruff: noqa: F401  # The modules of pages are imported for their routes.

from flask import Flask

from . import access, backups, brochure, guard, home, mails
from .accounts import account, browsers, sign_in, team
from .blueprint import bp
from .campaigns import pages, sites, tools
from .data_requests import answering
from .data_requests import listing as data_requests
from .exports import bookmark
from .exports import views as exports
from .labels import action_label, campaign_days, details_label, subject_label
from .leads import listing, page, quarantine
from .open_days import arrivals, days, door, slots
from .reports import page as report


def init_app(app: Flask) -> None:
    app.jinja_env.filters["action_label"] = action_label
    app.jinja_env.filters["subject_label"] = subject_label
    app.jinja_env.filters["details_label"] = details_label
    app.jinja_env.filters["campaign_days"] = campaign_days
    access.init_app(app)
    guard.init_app(app)
    app.register_blueprint(bp)
