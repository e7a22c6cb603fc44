"""/admissions/campagnes: what is planned, what to print and to paste, and changing it."""

from dataclasses import asdict

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ...campaigns.models import Campaign
from ...campaigns.queries import find_campaign, list_campaigns, lock_campaign
from ...campaigns.services import CampaignExists, CampaignPlan, add_campaign, change_campaign
from ...campaigns.snippets import EMBEDDED, snippet
from ...campaigns.views import short_url, tagged_url
from ...db import db
from ...formatters import PARIS
from ...web.context import current_school, current_settings, utc_now
from ...web.fields import refuse
from ..access import MARKETING, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..editing import answered
from ..forms import entered
from .forms import ARTICLE, TARGETS, CampaignForm, NewCampaignForm


def get_campaign(code: str) -> Campaign:
    return find_campaign(db.session(), code) or abort(404)


@bp.get("/campagnes")
@for_roles(MARKETING)
def campaigns() -> Response:
    today = utc_now().astimezone(PARIS).date()
    rows = list_campaigns(db.session())
    return make_response(render_template("backoffice/campaigns.html", rows=rows, targets=_targets(), today=today))


@bp.route("/campagnes/ajout", methods=["GET", "POST"])
@for_roles(MARKETING)
def new_campaign() -> Response:
    form = NewCampaignForm()
    if form.validate_on_submit():
        try:
            added = add_campaign(db.session(), form.plan(entered(form.code)), now=utc_now())
        except CampaignExists:
            refuse(form.code, "Ce code est déjà celui d’une campagne.")
        else:
            return _done("campaign added", added, "campagne-ajoutee", code=added.code)
    return answered(render_template("backoffice/campaign_new.html", form=form), form)


@bp.get("/campagnes/fiche/<code>")
@for_roles(MARKETING)
def campaign(code: str) -> Response:
    found = get_campaign(code)
    site, school = current_settings().site_url, current_school().name
    page = render_template(
        "backoffice/campaign.html",
        campaign=found,
        targets=_targets(),
        short=short_url(found),
        tagged=tagged_url(found),
        snippets=[(form, snippet(form, site=site, campaign=found.code, school=school)) for form in EMBEDDED],
        labels=TARGETS,
        is_local=not current_settings().public_url,
    )
    return make_response(page)


@bp.route("/campagnes/fiche/<code>/modification", methods=["GET", "POST"])
@for_roles(MARKETING)
def edit_campaign(code: str) -> Response:
    found = (lock_campaign(db.session(), code) if request.method == "POST" else get_campaign(code)) or abort(404)
    form = CampaignForm(found)
    clashes = form.take_clashes() if form.is_submitted() else []
    if not clashes and form.validate_on_submit():
        before, plan = asdict(CampaignPlan.of(found)), form.plan(found.code)
        change_campaign(found, plan)
        changed = ", ".join(name for name, value in asdict(plan).items() if value != before[name])
        return _done("campaign changed", found, "campagne-modifiee", code=found.code, fields=changed)
    page = render_template("backoffice/campaign_edit.html", form=form, campaign=found, clashes=clashes)
    return answered(page, form, clashes)


def _targets() -> dict[str, str]:
    return {"": ARTICLE} | TARGETS


def _done(action: str, found: Campaign, done: str, **details: str) -> Response:
    note(
        db.session(),
        action,
        staff_id=current_staff().id,
        now=utc_now(),
        subject="campaign",
        subject_id=found.id,
        **details,
    )
    address = url_for("backoffice.campaign", code=found.code, fait=done)
    db.session.commit()
    return make_response(redirect(address), 303)
