"""/mon-espace: asks for an address, mails a link to it if we know it, and says the same in either case."""

from flask import Response, make_response, redirect, render_template, request, url_for

from ..db import UNAVAILABLE, db
from ..leads.normalise import email_key
from ..leads.views import try_again_after, try_again_later
from ..outbox.messages import can_be_mailed
from ..web.context import utc_now
from ..web.errors import log_database_failure
from ..web.limits import address_wait, email_wait
from .access import ask_for_access
from .blueprint import bp
from .forms import AccessForm
from .notices import NOTICES

# The link may not arrive, for our mail server may not write to such an address.
_IN_DOUBT = "incertain"


@bp.route("/mon-espace", methods=["GET", "POST"])
def renew() -> Response:
    form = AccessForm(request.form if request.method == "POST" else None)

    def page() -> str:
        notice = NOTICES.get(request.args.get("fait", ""))
        return render_template("privacy/renew.html", form=form, notice=notice)

    if not form.is_submitted():
        return make_response(page())
    if wait := address_wait():
        return try_again_after(page, form, wait)
    if not form.validate():
        return make_response(page(), 422)
    if wait := email_wait("access", email_key(str(form.email.data))):
        return try_again_after(page, form, wait)
    try:
        # A program that fills everything in is told the same, and causes nothing.
        if not form.is_suspicious:
            ask_for_access(db.session(), str(form.email.data), now=utc_now())
            db.session.commit()
    except UNAVAILABLE as error:
        log_database_failure(error)
        db.session.rollback()
        return try_again_later(page, form)
    # By the address's form alone: whether we know it doesn't show.
    doubt = None if can_be_mailed(str(form.email.data)) else _IN_DOUBT
    return make_response(redirect(url_for("privacy.link_on_its_way", envoi=doubt), 303))


@bp.get("/mon-espace/lien-envoye")
def link_on_its_way() -> Response:
    """Nothing on it depends on whom we know."""
    is_in_doubt = request.args.get("envoi") == _IN_DOUBT
    return make_response(render_template("privacy/link_on_its_way.html", can_be_mailed=not is_in_doubt))
