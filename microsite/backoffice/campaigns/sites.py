"""/admissions/sites: who may show the forms on their own pages."""

from flask import Response, make_response, redirect, render_template, url_for
from wtforms.validators import DataRequired, ValidationError

from ...campaigns.attribution import LIMIT
from ...campaigns.models import NOTE_LIMIT, EmbedHost
from ...campaigns.queries import embed_hosts
from ...campaigns.services import HostAlreadyAllowed, allow_embed_host, remove_embed_host
from ...config import parse_origin
from ...db import db
from ...web.context import current_settings, utc_now
from ...web.fields import TextField, refuse
from ..access import MARKETING, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..forms import StaffForm, entered


class SiteForm(StaffForm):
    origin = TextField(
        "Adresse du site",
        [DataRequired("Saisissez l’adresse du site.")],
        limit=LIMIT,
        description="Sans chemin, comme https://www.partenaire.fr. Avec et sans www font deux sites.",
        render_kw={"type": "url", "inputmode": "url", "autocomplete": "off", "spellcheck": "false"},
    )
    note = TextField("Qui c’est", limit=NOTE_LIMIT)

    def validate_origin(self, field: TextField) -> None:
        try:
            field.data = parse_origin(field.data or "")
        except ValueError as error:
            raise ValidationError(f"Saisissez {error}.") from None


@bp.route("/sites", methods=["GET", "POST"])
@for_roles(MARKETING)
def sites() -> Response:
    form = SiteForm()
    if form.validate_on_submit():
        try:
            allow_embed_host(db.session(), entered(form.origin), note=entered(form.note), now=utc_now())
        except HostAlreadyAllowed:
            refuse(form.origin, "Ce site est déjà autorisé.")
        else:
            return _done("site allowed", entered(form.origin), "site-autorise")
    page = render_template(
        "backoffice/sites.html",
        form=form,
        hosts=embed_hosts(db.session()),
        set_by_operator=current_settings().embed_hosts,
    )
    return make_response(page, 422 if form.is_submitted() else 200)


@bp.post("/sites/<int:host_id>/retrait")
@for_roles(MARKETING)
def remove_site(host_id: int) -> Response:
    host = db.session.get(EmbedHost, host_id)
    # Somebody else may have removed it: it is what was asked for.
    if host is None or not remove_embed_host(db.session(), host.origin):
        return _back("site-retire")
    return _done("site removed", host.origin, "site-retire")


def _done(action: str, origin: str, done: str) -> Response:
    note(db.session(), action, staff_id=current_staff().id, now=utc_now(), subject="site", origin=origin)
    db.session.commit()
    return _back(done)


def _back(done: str) -> Response:
    return make_response(redirect(url_for("backoffice.sites", fait=done)), 303)
