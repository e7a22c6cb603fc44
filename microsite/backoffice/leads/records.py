"""All that is kept of one lead, for its page. No Flask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from ...brochures.models import BrochureDownload
from ...leads.models import Consent, Lead, Submission
from ...open_days.models import Alert, Registration, Slot
from ...outbox.models import Audience, MailStatus, OutgoingMail
from ...privacy.models import PrivacyRequest

# Of each kind, the latest: somebody may have sent the form ten thousand times.
SHOWN = 200

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Bounced:
    """`waiting`: how many mails wait for the address to be used again."""

    since: datetime
    reason: str
    waiting: int


@dataclass(frozen=True, kw_only=True)
class LeadRecord:
    """Newest first, at most SHOWN of each kind."""

    lead: Lead
    submissions: list[Submission]
    consents: list[Consent]
    registrations: list[Registration]
    alerts: list[Alert]
    downloads: list[tuple[BrochureDownload, str]]
    mails: list[OutgoingMail]
    requests: list[PrivacyRequest]

    @property
    def bounce(self) -> "Bounced | None":
        """Since when nothing arrives at their address; None where mails do, as far as anybody knows."""
        if self.lead.bounced_at is None:
            return None
        reasons = (mail.failure for mail in self.mails if mail.status is MailStatus.BOUNCED)
        waiting = sum(mail.status is MailStatus.WAITING for mail in self.mails)
        return Bounced(since=self.lead.bounced_at, reason=next(reasons, None) or "non remis", waiting=waiting)

    @property
    def is_cut(self) -> bool:
        kinds: tuple[Sequence[Any], ...] = (self.submissions, self.downloads, self.mails, self.registrations)
        return any(len(rows) == SHOWN for rows in kinds)

    @property
    def names(self) -> list[str]:
        """Every name that came with the address, the lead's own first."""
        sent = [f"{row.first_name} {row.last_name}" for row in reversed(self.submissions)]
        return list(dict.fromkeys([f"{self.lead.first_name} {self.lead.last_name}", *sent]))


def read_record(session: Session, lead: Lead) -> LeadRecord:
    sent = select(Submission.id).where(Submission.lead_id == lead.id)
    slots = joinedload(Registration.slot).joinedload(Slot.open_day)
    registrations = select(Registration).where(Registration.submission_id.in_(sent)).options(slots)
    downloads = (
        select(BrochureDownload, Submission.reference)
        .join(Submission, Submission.id == BrochureDownload.submission_id)
        .where(BrochureDownload.submission_id.in_(sent))
        .order_by(BrochureDownload.id.desc())
        .limit(SHOWN)
    )
    mails = select(OutgoingMail).where(OutgoingMail.lead_id == lead.id, OutgoingMail.audience == Audience.LEAD)
    return LeadRecord(
        lead=lead,
        submissions=_latest(session, select(Submission).where(Submission.lead_id == lead.id), Submission.id),
        consents=_latest(session, select(Consent).where(Consent.lead_id == lead.id), Consent.id),
        registrations=_latest(session, registrations, Registration.id),
        alerts=_latest(session, select(Alert).where(Alert.lead_id == lead.id), Alert.id),
        downloads=[(download, reference) for download, reference in session.execute(downloads)],
        mails=_latest(session, mails, OutgoingMail.id),
        requests=_latest(session, select(PrivacyRequest).where(PrivacyRequest.lead_id == lead.id), PrivacyRequest.id),
    )


def latest_submission_id(session: Session, lead_id: int) -> int | None:
    own = select(Submission.id).where(Submission.lead_id == lead_id)
    return session.scalar(own.order_by(Submission.id.desc()).limit(1))


def find_consent(session: Session, lead_id: int, consent_id: int) -> tuple[Consent, Submission | None] | None:
    own = (
        select(Consent, Submission)
        .outerjoin(Submission, Submission.id == Consent.submission_id)
        .where(Consent.id == consent_id, Consent.lead_id == lead_id)
    )
    found = session.execute(own).one_or_none()
    return (found[0], found[1]) if found else None


def _latest(session: Session, rows: Select[Row], key: Any) -> list[Row]:
    return list(session.scalars(rows.order_by(key.desc()).limit(SHOWN)))
