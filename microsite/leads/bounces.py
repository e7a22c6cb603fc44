"""Mails that came back: what a delivery report makes of a mail and of whom it was for. Callers commit."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..outbox.delivery_reports import DeliveryReport, Failure, reason_for
from ..outbox.letters import mail_address
from ..outbox.models import Audience, MailStatus, OutgoingMail
from ..outbox.services import has_secret_key, hold_back, send_held_back
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


def note_bounce(session: Session, report: DeliveryReport, *, admissions: str, now: datetime) -> Bounce:
    """Note that a mail wasn't delivered, if the report names it and its recipient; `admissions` is the school's."""
    if not report.failures:
        return Bounce(verdict=Verdict.NO_FAILURE)
    found = (_find_mail(session, key) for key in report.keys)
    mail = next((mail for mail in found if mail is not None), None)
    if mail is None:
        return Bounce(verdict=Verdict.UNKNOWN_MAIL)
    is_for_lead = mail.audience is Audience.LEAD
    lead = _lock_lead(session, mail) if is_for_lead else None
    if is_for_lead and lead is None:
        return Bounce(verdict=Verdict.UNKNOWN_MAIL)
    recipient = admissions if lead is None else lead.email
    failure = next((one for one in report.failures if _is_to(one, recipient)), None)
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


def _find_mail(session: Session, key: str) -> OutgoingMail | None:
    # A report comes now and then: no index for it, which every form that is sent would keep up.
    mail = session.scalar(select(OutgoingMail).where(OutgoingMail.key == key))
    if mail is None or not has_secret_key(mail) or not hmac.compare_digest(mail.key.encode(), key.encode()):
        return None
    return mail


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
