"""Signed addresses that stand for one submission: thank-you pages, downloads, links in mails."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import abort

from ..campaigns.carry import carrying_url
from ..db import db
from ..web.context import utc_now
from ..web.links import LinkExpired, LinkForged, public_url, sign, unsign
from .models import Lead, Submission
from .queries import find_by_reference

# How long thank-you pages and brochure links last, counted from the sending.
LIFETIME = timedelta(days=30)


def submission_url(endpoint: str, reference: str) -> str:
    """The address of `endpoint` for the submission of this reference, signed, and nothing personal."""
    return carrying_url(endpoint, token=sign(endpoint, reference))


def signed_submission(endpoint: str, token: str) -> Submission:
    """What an address made by submission_url stands for; 404 if forged, 410 if too old or erased."""
    reference = _opened(endpoint, token, LIFETIME)
    if not isinstance(reference, str):
        abort(404)
    submission = find_by_reference(db.session(), reference) or abort(410)
    # A page that is opened again signs new links: they end with the first ones.
    if utc_now() - submission.submitted_at > LIFETIME:
        abort(410)
    return submission


@dataclass(frozen=True, kw_only=True)
class MailedLink:
    """What a mailed address stands for."""

    submission: Submission
    lead: Lead
    version: int

    @property
    def is_current(self) -> bool:
        """Whether the lead's link_version wasn't raised since."""
        return self.lead.link_version == self.version


def mailed_url(endpoint: str, submission: Submission) -> str:
    """A whole address for the owner of the submission's e-mail address, revoked by raising the lead's link_version."""
    return public_url(endpoint, token=mailed_token(endpoint, submission))


def mailed_token(endpoint: str, submission: Submission) -> str:
    if submission.lead is None:
        raise ValueError("a quarantined submission is nobody's yet: it gets no mail")
    return sign(endpoint, [submission.reference, submission.lead.link_version])


def open_mailed(endpoint: str, token: str, *, lifetime: timedelta) -> MailedLink:
    """What an address made by mailed_url stands for, revoked or not; 404 if forged, 410 if too old or erased.

    `lifetime` counts from the mail.
    """
    match _opened(endpoint, token, lifetime):
        case [str() as reference, int() as version]:
            submission = find_by_reference(db.session(), reference)
        case _:
            abort(404)
    if submission is None or submission.lead is None:
        abort(410)
    return MailedLink(submission=submission, lead=submission.lead, version=version)


def current_mailed(endpoint: str, token: str, *, lifetime: timedelta) -> MailedLink:
    """The same, and 410 if it was revoked."""
    link = open_mailed(endpoint, token, lifetime=lifetime)
    return link if link.is_current else abort(410)


def mailed_submission(endpoint: str, token: str, *, lifetime: timedelta) -> Submission:
    """The submission that it is about, and 410 if it was revoked."""
    return current_mailed(endpoint, token, lifetime=lifetime).submission


def _opened(endpoint: str, token: str, lifetime: timedelta) -> Any:
    try:
        payload, _ = unsign(endpoint, token, max_age=int(lifetime.total_seconds()))
    except LinkForged:
        abort(404)
    except LinkExpired:
        abort(410)
    return payload
