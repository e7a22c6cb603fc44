"""Signed addresses that stand for one submission: thank-you pages, downloads."""

from datetime import timedelta

from flask import abort

from ..campaigns.carry import carrying_url
from ..db import db
from ..web.context import utc_now
from ..web.links import LinkExpired, LinkForged, sign, unsign
from .models import Submission
from .queries import find_by_reference

# How long thank-you pages and brochure links last, counted from the sending.
LIFETIME = timedelta(days=30)


def submission_url(endpoint: str, submission: Submission) -> str:
    """The address of `endpoint` for this submission: its reference, signed, and nothing personal."""
    return carrying_url(endpoint, token=sign(endpoint, submission.reference))


def signed_submission(endpoint: str, token: str) -> Submission:
    """What an address made by submission_url stands for; 404 if forged or erased, 410 if too old."""
    try:
        reference, _ = unsign(endpoint, token, max_age=int(LIFETIME.total_seconds()))
    except LinkForged:
        abort(404)
    except LinkExpired:
        abort(410)
    submission = find_by_reference(db.session(), reference) or abort(404)
    # A page that is opened again signs new links: they end with the first ones.
    if utc_now() - submission.submitted_at > LIFETIME:
        abort(410)
    return submission
