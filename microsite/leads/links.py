"""Signed addresses that stand for one submission: thank-you pages, downloads."""

from flask import abort

from ..campaigns.carry import carrying_url
from ..db import db
from ..web.links import LinkExpired, LinkForged, sign, unsign
from .models import Submission

# Seconds: how long thank-you pages and brochure links last.
LINK_MAX_AGE = 30 * 24 * 3600


def submission_url(endpoint: str, submission: Submission) -> str:
    """The address of `endpoint` for this submission, with nothing personal in it."""
    return carrying_url(endpoint, token=sign(endpoint, [submission.id, _version(submission)]))


def signed_submission(endpoint: str, token: str) -> Submission:
    """What an address made by submission_url stands for; 404 if forged or erased, 410 if too old or revoked."""
    try:
        (submission_id, version), _ = unsign(endpoint, token, max_age=LINK_MAX_AGE)
    except LinkForged:
        abort(404)
    except LinkExpired:
        abort(410)
    submission = db.session.get(Submission, submission_id) or abort(404)
    if version != _version(submission):
        abort(410)
    return submission


def _version(submission: Submission) -> int:
    return submission.lead.link_version if submission.lead else 1
