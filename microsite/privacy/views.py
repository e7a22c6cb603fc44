"""/e-mails: confirm a consent to e-mails, or end it. A link opens a page with one button; the POST acts."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ..db import db
from ..leads.consents import EMAIL, confirm, find_confirmation, find_email_consent, stands_by_emails, withdraw
from ..leads.links import current_mailed, open_mailed
from ..leads.mails import CONFIRM, CONFIRM_LIFETIME, STOP
from ..leads.models import Lead
from ..leads.views import thank
from ..web.context import utc_now
from ..web.limits import refuse_flood
from ..web.origins import from_anywhere
from .blueprint import bp
from .queries import lock_lead

# As long as anything about a person is kept: mails stay in mailboxes.
STOP_LIFETIME = timedelta(days=3 * 365)


@bp.route("/e-mails/confirmer/<token>", methods=["GET", "POST"])
def confirm_emails(token: str) -> Response:
    refuse_flood()
    link = current_mailed(CONFIRM, token, lifetime=CONFIRM_LIFETIME)
    consent = find_email_consent(db.session(), link.submission) or abort(404)
    if request.method == "POST":
        _act(link.lead, lambda now: confirm(db.session(), consent, now=now))
        return _again(CONFIRM, token)
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
        _act(lead, lambda now: withdraw(db.session(), lead.id, EMAIL, now=now))
        # A mail program follows no redirect, whatever it sends along (RFC 8058, section 3.1); our page names itself.
        if "page" in request.form:
            return _again(STOP, token)
    page = render_template("privacy/stop_emails.html", token=token, are_wanted=stands_by_emails(db.session(), lead.id))
    return thank(page)


def _act(lead: Lead, change: Callable[[datetime], bool]) -> None:
    """Make the change, which is a contact from this person unless nothing is left to change."""
    now = utc_now()
    lock_lead(db.session(), lead)
    if change(now):
        lead.last_contact_at = now
    db.session.commit()


def _again(endpoint: str, token: str) -> Response:
    """To the page that says it is done, and says so again however often it is opened."""
    return make_response(redirect(url_for(endpoint, token=token), 303), {"Referrer-Policy": "same-origin"})
