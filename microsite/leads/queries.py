"""Looking leads and submissions up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from ..campaigns.attribution import NAMES, Attribution
from .models import HELD, Consent, FormName, Lead, Submission, SubmissionStatus
from .normalise import email_key, is_same_name
from .references import references_meant

_SAME = Submission.form_nonce == bindparam("nonce"), Submission.answers_digest == bindparam("digest")
# Built once: every form that is sent asks it.
_KEPT = select(Submission.id).where(*_SAME)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which submissions are exported and reported on: `since` included, `until` excluded, both aware."""

    form: FormName | None = None
    since: datetime | None = None
    until: datetime | None = None
    include_quarantined: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.form is not None:
            conditions.append(Submission.form == self.form)
        if self.since is not None:
            conditions.append(Submission.submitted_at >= self.since)
        if self.until is not None:
            conditions.append(Submission.submitted_at < self.until)
        hidden = (SubmissionStatus.SPAM,) if self.include_quarantined else HELD
        conditions.append(Submission.status.not_in(hidden))
        return conditions


def find_lead(session: Session, email: str) -> Lead | None:
    return session.scalar(_of(email))


def hold_lead(session: Session, email: str) -> Lead | None:
    """The lead as it stands now, changed and erased by nobody else until the transaction ends.

    Before any slot is locked, whoever it is that locks both: so they never cross. References to the row are let
    through (FOR NO KEY UPDATE), for who holds a slot may decide mails about this lead meanwhile.
    """
    held = _of(email).with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.scalar(held)


def find_held(session: Session, email: str) -> list[int]:
    """Submissions of this address that were held back, and are nobody's."""
    # Compared here: no engine folds every letter as email_key() does.
    key = email_key(email)
    held = select(Submission.id, Submission.email).where(Submission.lead_id.is_(None)).order_by(Submission.id)
    rows = session.execute(held.execution_options(yield_per=1000))
    return [row_id for row_id, address in rows if email_key(address) == key]


def find_same(session: Session, nonce: str, digest: str) -> Submission | None:
    """The submission that a form with this nonce and these answers became."""
    return session.scalar(select(Submission).where(*_SAME), {"nonce": nonce, "digest": digest})


def is_kept(session: Session, nonce: str, digest: str) -> bool:
    """Whether there is one."""
    return session.scalar(_KEPT, {"nonce": nonce, "digest": digest}) is not None


def find_by_reference(session: Session, reference: str) -> Submission | None:
    """`reference` as people write it, or as a scanner types it (references.py); None where it may be several."""
    meant = references_meant(reference)
    found = session.scalars(select(Submission).where(Submission.reference.in_(meant))).all() if meant else []
    return found[0] if len(found) == 1 else None


def has_applied(session: Session, lead_id: int) -> bool:
    applications = select(Submission.id).filter_by(lead_id=lead_id, form=FormName.APPLICATION)
    return session.scalar(applications.limit(1)) is not None


def latest_submissions(session: Session, lead_ids: Sequence[int]) -> dict[int, Submission]:
    """What each of these leads sent last, by its id."""
    latest = select(func.max(Submission.id)).where(Submission.lead_id.in_(lead_ids)).group_by(Submission.lead_id)
    found = session.scalars(select(Submission).where(Submission.id.in_(latest)))
    return {submission.lead_id: submission for submission in found if submission.lead_id is not None}


def standing_channels(session: Session, lead_ids: Sequence[int]) -> dict[int, dict[str, bool]]:
    """By which channels each of these leads agreed to be reached, and whether that is confirmed."""
    standing = select(Consent.lead_id, Consent.channel, func.max(Consent.confirmed_at))
    standing = standing.where(Consent.lead_id.in_(lead_ids), Consent.withdrawn_at.is_(None))
    channels: dict[int, dict[str, bool]] = {lead_id: {} for lead_id in lead_ids}
    for lead_id, channel, confirmed_at in session.execute(standing.group_by(Consent.lead_id, Consent.channel)):
        if lead_id is not None:
            channels[lead_id][channel] = confirmed_at is not None
    return channels


def has_used_name(session: Session, lead_id: int, names: tuple[str, str], *, besides: int) -> bool:
    """Whether this lead has called itself so, first name and last, in another submission than that one, by its id."""
    used = select(Submission.first_name, Submission.last_name).distinct()
    others = session.execute(used.where(Submission.lead_id == lead_id, Submission.id != besides))
    return any(all(map(is_same_name, other, names)) for other in others)


@dataclass(frozen=True, kw_only=True)
class Touches:
    """How a lead came to us first, and last."""

    first: Attribution
    last: Attribution


def find_touches(session: Session, lead: Lead) -> Touches | None:
    """By its submissions, in the order in which they were sent; None for a lead without any."""
    texts = [getattr(Submission, name) for name in NAMES]
    sent = select(*texts).where(Submission.lead_id == lead.id).order_by(Submission.submitted_at, Submission.id)
    came = [Attribution(**row._mapping) for row in session.execute(sent)]
    return Touches(first=came[0], last=came[-1]) if came else None


def _of(email: str) -> Select[Lead]:
    return select(Lead).where(Lead.email_key == email_key(email))
