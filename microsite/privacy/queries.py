"""What is kept of one lead, for its own page; of whom somebody is the guardian; totals of erased submissions."""

from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, joinedload

from ..leads.models import FormName, Lead, Submission
from ..leads.normalise import email_key
from ..open_days.models import OVER, Alert, Registration, Slot
from .models import MonthlyTotal


class LeadErased(LookupError):
    """Somebody erased this lead a moment ago."""


def lock_lead(session: Session, lead: Lead) -> None:
    """The lead as it stands now, changed by nobody else until the transaction ends.

    Before any slot is locked, as when a form is sent: two who lock both never cross. Mails about this lead may be
    decided meanwhile by who holds a slot (FOR NO KEY UPDATE lets references to the row through). Raises LeadErased.
    """
    try:
        session.refresh(lead, with_for_update={"key_share": True})
    except InvalidRequestError:
        raise LeadErased from None


def find_own_registration(session: Session, lead_id: int, reference: str) -> Registration | None:
    own = select(Registration).join(Registration.submission).where(Registration.lead_id == lead_id)
    return session.scalar(own.where(Submission.reference == reference))


def latest_registrations(session: Session, lead_id: int) -> list[Registration]:
    """In each slot the one that holds or, if none does, the last one; earliest slot first."""
    loaded = select(Registration).options(
        joinedload(Registration.slot).joinedload(Slot.open_day), joinedload(Registration.submission)
    )
    rows = session.scalars(loaded.where(Registration.lead_id == lead_id)).all()
    by_slot = {row.slot_id: row for row in sorted(rows, key=lambda row: (row.state not in OVER, row.id))}
    return sorted(by_slot.values(), key=lambda row: (row.slot.starts_at, row.slot_id))


def waits_since(session: Session, lead_id: int) -> datetime | None:
    """Since when this lead has asked to be told of new dates; None if they aren't to be."""
    return session.scalar(select(func.min(Alert.created_at)).where(Alert.lead_id == lead_id, Alert.told_at.is_(None)))


def sent_submissions(session: Session, lead_id: int, *, limit: int) -> list[Submission]:
    """Newest first."""
    return list(session.scalars(_sent(lead_id).limit(limit)))


def find_latest(session: Session, lead_id: int) -> Submission | None:
    """What this lead sent last."""
    # Anyone can send forms in anyone's name, by the thousand.
    return session.scalar(_sent(lead_id).limit(1))


def find_wards(session: Session, address: str) -> list[str]:
    """References of the applications that name this address as a guardian's: kept with who applied, not by itself."""
    guardian = Submission.answers["guardian_email"].as_string()
    rows = session.execute(
        select(Submission.reference, guardian).where(Submission.form == FormName.APPLICATION).order_by(Submission.id)
    )
    return [reference for reference, email in rows if email and email_key(email) == email_key(address)]


def count_erased_submissions(session: Session, *, since: date, until: date, form: FormName | None = None) -> int:
    """Count the submissions of these days' months that aren't kept any more."""
    counted = select(func.coalesce(func.sum(MonthlyTotal.count), 0))
    counted = counted.where(MonthlyTotal.month.between(since.replace(day=1), until))
    if form is not None:
        counted = counted.where(MonthlyTotal.form == form)
    return int(session.execute(counted).scalar_one())


def _sent(lead_id: int) -> Select[Submission]:
    sent = select(Submission).where(Submission.lead_id == lead_id)
    return sent.order_by(Submission.submitted_at.desc(), Submission.id.desc())
