"""Mails that came back: what a delivery report makes of a mail and of whom it was for. Callers commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..outbox.delivery_reports import Failure, reason_for
from ..outbox.messages import mail_address
from ..outbox.models import Audience, MailStatus, OutgoingMail
from ..outbox.services import hold_back, is_secret, send_held_back
from .models import Lead
from .normalise import email_key
from .queries import hold_lead


class Verdict(Enum):
    """What became of a report."""

    NOTED = auto()
    # It reports no failure that will last: delayed, relayed, delivered, expanded.
    NO_FAILURE = auto()
    # No mail of ours, or not one that anybody was told how to name.
    UNKNOWN_MAIL = auto()
    OTHER_RECIPIENT = auto()
    KNOWN = auto()


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """`lead_id`: whose further mails wait; None for a mail to admissions."""

    verdict: Verdict
    mail_id: int | None = None
    reason: str = ""
    lead_id: int | None = None


def find_returned(session: Session, keys: Sequence[str]) -> int | None:
    """Return the id of the mail that a report returns, by what Message-IDs begin with, if nobody can guess it."""
    # A report comes now and then: no index for it, which every form that is sent would keep up.
    named = select(OutgoingMail.id).where(OutgoingMail.key.in_([key for key in keys if is_secret(key)]))
    return session.scalar(named.order_by(OutgoingMail.id).limit(1))


def note_bounce(
    session: Session, mail_id: int, failures: Sequence[Failure], *, admissions: str, now: datetime
) -> Bounce:
    """Note that a mail wasn't delivered, if a failure names its recipient; `admissions` is the school's address."""
    mail = session.get(OutgoingMail, mail_id)
    if mail is None:
        return Bounce(verdict=Verdict.UNKNOWN_MAIL)
    is_for_lead = mail.audience is Audience.LEAD
    lead = _lock_lead(session, mail) if is_for_lead else None
    if is_for_lead and lead is None:
        return Bounce(verdict=Verdict.UNKNOWN_MAIL)
    recipient = admissions if lead is None else lead.email
    failure = next((one for one in failures if _is_to(one, recipient)), None)
    if failure is None:
        return Bounce(verdict=Verdict.OTHER_RECIPIENT, mail_id=mail.id)
    session.refresh(mail, with_for_update=True)
    if mail.status is MailStatus.BOUNCED or not _has_left(mail):
        return Bounce(verdict=Verdict.KNOWN, mail_id=mail.id)
    mail.status, mail.failure = MailStatus.BOUNCED, reason_for(failure.status)
    mail.sent_at = mail.sent_at or now
    session.flush()
    if lead is not None:
        lead.bounced_at = now
        hold_back(session, lead.id)
    return Bounce(verdict=Verdict.NOTED, mail_id=mail.id, reason=mail.failure, lead_id=lead.id if lead else None)


def try_address_again(session: Session, lead: Lead) -> None:
    """Send what waits for this lead, who has just given their address again."""
    if lead.bounced_at is not None:
        lead.bounced_at = None
        session.flush()
        send_held_back(session, lead.id)


def _lock_lead(session: Session, mail: OutgoingMail) -> Lead | None:
    """Whom the mail is for, locked before their mails as when a form is sent; None for who was erased."""
    lead = session.get(Lead, mail.lead_id) if mail.lead_id is not None else None
    return None if lead is None else hold_lead(session, lead.email)


def _has_left(mail: OutgoingMail) -> bool:
    """Sent, or tried and never known to have been taken; one that a person sends again hasn't come back yet."""
    is_tried = mail.status in (MailStatus.PENDING, MailStatus.DEAD) and mail.attempts > 0
    return mail.status is MailStatus.SENT or is_tried


def _is_to(failure: Failure, recipient: str) -> bool:
    return any(_mailbox(address) == _mailbox(recipient) for address in failure.recipients)


def _mailbox(address: str) -> str:
    """One writing for all of one mailbox's: its domain as on the way, with letters that every server knows."""
    try:
        return email_key(mail_address(address))
    except ValueError:
        return email_key(address)
