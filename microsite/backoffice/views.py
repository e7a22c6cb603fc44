"""/admissions: the back-office's pages, put together."""

from flask import Blueprint, Flask, Response, make_response, render_template

from . import (
    access,
    account,
    arrivals,
    brochure,
    campaign_tools,
    campaigns,
    door,
    lead_page,
    leads_list,
    mail_pages,
    open_day_pages,
    quarantine_views,
    report,
    sign_in,
    sites,
    slot_pages,
    team,
)
from .access import ALL_ROLES, PREFIX, for_roles
from .labels import action_label, campaign_days, clock, file_size, moment

bp = Blueprint("backoffice", __name__, url_prefix=PREFIX)


@bp.get("/")
@for_roles(ALL_ROLES)
def home() -> Response:
    return make_response(render_template("backoffice/home.html", tiles=[]))


access.guard(bp)
for part in (
    sign_in,
    account,
    team,
    leads_list,
    lead_page,
    quarantine_views,
    open_day_pages,
    slot_pages,
    door,
    arrivals,
    mail_pages,
    campaigns,
    campaign_tools,
    sites,
    brochure,
    report,
):
    part.add_views(bp)


def init_app(app: Flask) -> None:
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["clock"] = clock
    app.jinja_env.filters["action_label"] = action_label
    app.jinja_env.filters["file_size"] = file_size
    app.jinja_env.filters["campaign_days"] = campaign_days
    access.init_app(app)
    app.register_blueprint(bp)
