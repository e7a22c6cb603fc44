"""/e-mails: confirm a consent to e-mails, or end it. A link opens a page with one button; the POST acts."""

from datetime import timedelta

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ..db import db
from ..leads.consents import EMAIL, confirm, find_confirmation, find_email_consent, stands_by_emails, withdraw
from ..leads.links import mailed_submission, open_mailed
from ..leads.mails import CONFIRM, CONFIRM_LIFETIME, STOP
from ..leads.views import thank
from ..web.context import utc_now
from .blueprint import bp

# As long as anything about a person is kept: mails stay in mailboxes.
STOP_LIFETIME = timedelta(days=3 * 365)


@bp.route("/e-mails/confirmer/<token>", methods=["GET", "POST"])
def confirm_emails(token: str) -> Response:
    submission = mailed_submission(CONFIRM, token, lifetime=CONFIRM_LIFETIME)
    consent = find_email_consent(db.session(), submission) or abort(404)
    if request.method == "POST":
        confirm(db.session(), consent, now=utc_now())
        db.session.commit()
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
def stop_emails(token: str) -> Response:
    # Stopping does no harm: it is left to the links that were revoked, which mail programs keep.
    lead_id = open_mailed(STOP, token, lifetime=STOP_LIFETIME).lead.id
    if request.method == "POST":
        withdraw(db.session(), lead_id, EMAIL, now=utc_now())
        db.session.commit()
        # RFC 8058, section 3.1: a mail program follows no redirect.
        if "List-Unsubscribe" not in request.form:
            return _again(STOP, token)
    page = render_template("privacy/stop_emails.html", token=token, are_wanted=stands_by_emails(db.session(), lead_id))
    return thank(page)


def _again(endpoint: str, token: str) -> Response:
    """To the page that says it is done, and says so again however often it is opened."""
    return make_response(redirect(url_for(endpoint, token=token), 303), {"Referrer-Policy": "same-origin"})
