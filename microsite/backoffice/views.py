"""/admissions: the back-office's pages, put together."""

from flask import Blueprint, Flask, Response, make_response, render_template

from . import access, brochure, mails
from .access import ALL_ROLES, PREFIX, for_roles
from .accounts import account, sign_in, team
from .campaigns import pages as campaigns
from .campaigns import sites, tools
from .exports import choice, files, marks
from .labels import action_label, campaign_days, clock, file_size, moment
from .leads import listing, page, quarantine
from .open_days import arrivals, days, door, slots
from .reports import page as report

bp = Blueprint("backoffice", __name__, url_prefix=PREFIX)


@bp.get("/")
@for_roles(ALL_ROLES)
def home() -> Response:
    return make_response(render_template("backoffice/home.html", tiles=[]))


_SECTIONS = (
    account, sign_in, team, listing, page, quarantine, choice, files, marks, days, slots, door, arrivals, mails,
    campaigns, tools, sites, report, brochure,
)  # fmt: skip

access.guard(bp)
for section in _SECTIONS:
    section.add_views(bp)


def init_app(app: Flask) -> None:
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["clock"] = clock
    app.jinja_env.filters["action_label"] = action_label
    app.jinja_env.filters["file_size"] = file_size
    app.jinja_env.filters["campaign_days"] = campaign_days
    access.init_app(app)
    app.register_blueprint(bp)
