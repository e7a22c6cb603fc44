"""/mon-espace mails a link to the personal page; /e-mails confirms a consent to e-mails, or ends it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import Gone
from wtforms.validators import DataRequired

from ..db import UNAVAILABLE, db
from ..leads.consents import EMAIL, confirm, find_confirmation, find_email_consent, stands_by_emails, withdraw
from ..leads.emails import CONFIRM, CONFIRM_LIFETIME, STOP
from ..leads.forms import EMAIL_KEYS, EmailField
from ..leads.links import current_mailed, open_mailed
from ..leads.models import Lead
from ..leads.normalise import email_key
from ..leads.views import answer_unless_valid, thank, try_again_after, try_again_later
from ..outbox.messages import can_be_mailed
from ..web.context import utc_now
from ..web.errors import Refusal, log_database_failure, refuse_with
from ..web.forms import SignedForm
from ..web.limits import email_wait, refuse_flood
from ..web.origins import from_anywhere
from .data_requests import ask_for_access
from .personal_page import find_notice
from .queries import LeadErased, lock_lead

bp = Blueprint("privacy", __name__)

# As long as anything about a person is kept: mails stay in mailboxes.
STOP_LIFETIME = timedelta(days=3 * 365)
# The link may not arrive, for our mail server may not write to such an address.
_IN_DOUBT = "incertain"
_ENDED = Refusal(
    title="Ce lien ne fonctionne plus",
    advice=(
        "Il est trop ancien, ou remplacé : retirer un accord ou demander l’effacement ferme les liens d’avant. "
        "Si vos données sont encore chez nous, un nouveau lien vous ouvre votre espace ; si elles ont été effacées, "
        "il n’en viendra pas."
    ),
    way_on=("/mon-espace", "Recevoir un nouveau lien"),
)


class AccessForm(SignedForm):
    """Where to mail a link to the personal page."""

    form_name = "access"

    email = EmailField(
        "Adresse e-mail",
        [DataRequired("Saisissez l’adresse e-mail que vous nous avez donnée.")],
        render_kw=EMAIL_KEYS | {"autocomplete": "email", "enterkeyhint": "send"},
    )


@bp.errorhandler(Gone)
@bp.errorhandler(LeadErased)
def refuse_ended_link(error: Exception) -> Response:
    return refuse_with(_ENDED, error if isinstance(error, Gone) else Gone())


@bp.route("/mon-espace", methods=["GET", "POST"])
def renew() -> Response:
    """Ask for an address, mail a link to it if it is known, and say the same in either case."""
    form = AccessForm(request.form if request.method == "POST" else None)

    def page() -> str:
        return render_template("privacy/renew.html", form=form, notice=find_notice(request.args.get("fait")))

    if answer := answer_unless_valid(form, page):
        return answer
    address = str(form.email.data)
    if wait := email_wait("access", email_key(address)):
        return try_again_after(page, form, wait)
    try:
        # A program that fills everything in is told the same, and causes nothing.
        if not form.is_suspicious:
            ask_for_access(db.session(), address, now=utc_now())
            db.session.commit()
    except UNAVAILABLE as error:
        log_database_failure(error)
        db.session.rollback()
        return try_again_later(page, form)
    # By the address's form alone: whether we know it doesn't show.
    doubt = None if can_be_mailed(address) else _IN_DOUBT
    return make_response(redirect(url_for("privacy.link_on_its_way", envoi=doubt), 303))


@bp.get("/mon-espace/lien-envoye")
def link_on_its_way() -> Response:
    """Nothing on it depends on whom we know."""
    is_in_doubt = request.args.get("envoi") == _IN_DOUBT
    return make_response(render_template("privacy/link_on_its_way.html", can_be_mailed=not is_in_doubt))


@bp.route("/e-mails/confirmer/<token>", methods=["GET", "POST"])
def confirm_emails(token: str) -> Response:
    """A page with one button, since mail scanners open every link; the POST acts."""
    refuse_flood()
    link = current_mailed(CONFIRM, token, lifetime=CONFIRM_LIFETIME)
    consent = find_email_consent(db.session(), link.submission) or abort(404)
    if request.method == "POST":
        _change(link.lead, lambda now: confirm(db.session(), consent, now=now))
        return _see_again(CONFIRM, token)
    page = render_template(
        "privacy/confirm_emails.html",
        token=token,
        wording=consent.wording.text,
        is_withdrawn=consent.withdrawn_at is not None,
        is_confirmed=find_confirmation(db.session(), consent) is not None,
    )
    return thank(page)


@bp.route("/e-mails/arreter/<token>", methods=["GET", "POST"])
@from_anywhere
def stop_emails(token: str) -> Response:
    # Stopping does no harm: it is left to the links that were revoked, which mail programs keep, and however often a
    # mail provider does it for its own people, whose address is that of all of them.
    lead = open_mailed(STOP, token, lifetime=STOP_LIFETIME).lead
    if request.method == "POST":
        _change(lead, lambda now: withdraw(db.session(), lead.id, EMAIL, now=now))
        # A mail program follows no redirect, whatever it sends along (RFC 8058, section 3.1); our page names itself.
        if "page" in request.form:
            return _see_again(STOP, token)
    page = render_template("privacy/stop_emails.html", token=token, are_wanted=stands_by_emails(db.session(), lead.id))
    return thank(page)


def _change(lead: Lead, change: Callable[[datetime], bool]) -> None:
    """Make the change, which is a contact from this person unless nothing is left to change."""
    now = utc_now()
    lock_lead(db.session(), lead)
    if change(now):
        lead.last_contact_at = now
    db.session.commit()


def _see_again(endpoint: str, token: str) -> Response:
    """Redirect to the page that says it is done, and says so again however often it is opened."""
    return make_response(redirect(url_for(endpoint, token=token), 303), {"Referrer-Policy": "same-origin"})
