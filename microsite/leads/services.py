"""Capturing a submission: identity, answers, consents and attribution in the caller's transaction."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..campaigns.attribution import Attribution
from ..school import Wording
from .consents import attach_consents, keep_consents
from .models import FormName, Lead, Submission, SubmissionStatus
from .normalise import email_key, is_same_name
from .queries import find_lead, find_same
from .references import draw_reference

# Draws of a free reference before giving up; with a million kept, one draw in 700 is taken.
_DRAWS = 8


class NoFreeReference(RuntimeError):
    """Every reference drawn was taken already."""


class NotQuarantined(ValueError):
    """The submission isn't held back, or not any more."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who sent it: names cleaned, e-mail normalised, telephone in E.164."""

    first_name: str
    last_name: str
    email: str
    phone: str | None


@dataclass(frozen=True, kw_only=True)
class Sending:
    """One form as it was sent, validated. `nonce` is its token's; `agreed` the wordings whose box was ticked."""

    form: FormName
    nonce: str
    person: Person
    programme: str | None
    level: str | None
    answers: dict[str, Any]
    agreed: tuple[Wording, ...]
    attribution: Attribution
    is_suspicious: bool = False

    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the answers alone: how the visitor arrived doesn't make them differ."""
        answers = [asdict(self.person), self.programme, self.level, self.answers]
        agreed = sorted(wording.channel for wording in self.agreed)
        # A person whose browser filled the honeypot in, and who sends again without it, is heard.
        text = json.dumps([self.form, answers, agreed, self.is_suspicious], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Captured:
    submission: Submission
    is_new: bool

    @property
    def is_to_follow_up(self) -> bool:
        """Whether a seat, a mail and the like are due now: not twice, and not while quarantined."""
        return self.is_new and self.submission.status is not SubmissionStatus.QUARANTINED


def capture(
    session: Session, sending: Sending, *, now: datetime, draw: Callable[[FormName], str] = draw_reference
) -> Captured:
    """Keep a submission with its lead, consents and attribution; the caller commits.

    The same nonce with the same answers gives the submission that is already there. A suspicious one is
    quarantined: no lead is made or touched.
    """
    digest = sending.digest()
    same = find_same(session, sending.nonce, digest)
    if same is not None:
        return Captured(submission=same, is_new=False)
    submission = _new_submission(sending, digest, now)
    for _ in range(_DRAWS):
        submission.reference = draw(sending.form)
        try:
            with session.begin_nested():
                session.add(submission)
        except IntegrityError:
            # Two normal races: the same form sent at the same moment, and a reference that is taken.
            same = find_same(session, sending.nonce, digest)
            if same is not None:
                return Captured(submission=same, is_new=False)
        else:
            if not sending.is_suspicious:
                _attach_lead(session, submission, now)
            keep_consents(session, submission, sending.agreed, now=now)
            return Captured(submission=submission, is_new=True)
    raise NoFreeReference(sending.form)


def release(session: Session, submission: Submission, *, now: datetime) -> None:
    """Take a submission out of quarantine: from here on it counts like any other.

    What the form leads to (a seat, a mail) is the caller's to run. Raises NotQuarantined.
    """
    if submission.status is not SubmissionStatus.QUARANTINED:
        raise NotQuarantined(submission.reference)
    submission.status = SubmissionStatus.RELEASED
    _attach_lead(session, submission, now)
    attach_consents(session, submission)


def _new_submission(sending: Sending, digest: str, now: datetime) -> Submission:
    status = SubmissionStatus.QUARANTINED if sending.is_suspicious else SubmissionStatus.RECEIVED
    return Submission(
        form=sending.form,
        status=status,
        submitted_at=now,
        form_nonce=sending.nonce,
        answers_digest=digest,
        programme=sending.programme,
        level=sending.level,
        answers=sending.answers,
        **asdict(sending.person),
        **asdict(sending.attribution),
    )


def _attach_lead(session: Session, submission: Submission, now: datetime) -> None:
    lead = find_lead(session, submission.email) or _add_lead(session, submission, now)
    names = ((lead.first_name, submission.first_name), (lead.last_name, submission.last_name))
    if not all(is_same_name(one, other) for one, other in names):
        lead.needs_review = True
    lead.phone = lead.phone or submission.phone
    lead.last_contact_at = max(lead.last_contact_at, submission.submitted_at)
    submission.lead = lead
    session.flush()


def _add_lead(session: Session, submission: Submission, now: datetime) -> Lead:
    lead = Lead(
        email=submission.email,
        email_key=email_key(submission.email),
        first_name=submission.first_name,
        last_name=submission.last_name,
        phone=submission.phone,
        created_at=now,
        last_contact_at=submission.submitted_at,
    )
    try:
        with session.begin_nested():
            session.add(lead)
    except IntegrityError:
        # Another request added the same person between our look and our insert.
        existing = find_lead(session, submission.email)
        if existing is None:
            raise
        return existing
    return lead
