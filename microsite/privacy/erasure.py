"""Erase people for good: every row that holds them or points to them (RGPD, article 17).

Callers commit, then have what deleted rows leave behind removed (cleanup.py).
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from ..brochures.models import BrochureDownload
from ..campaigns.services import counted_text
from ..db import insert_into
from ..formatters import PARIS
from ..keys import Keys
from ..leads.models import HELD, Consent, FormName, Lead, LeadWord, Submission
from ..leads.normalise import email_key
from ..leads.notifications import DIGEST_EMAIL, Period
from ..leads.queries import find_held, find_lead, hold_lead
from ..leads.services import identify_again
from ..open_days.models import Alert, Registration, Slot
from ..open_days.seats import lock_slot, pass_on
from ..outbox.models import OutgoingMail
from .cleanup import add_mail_files, add_vacuum
from .data_requests import find_access_requests
from .erased_addresses import AddressMatcher, add_address, in_batches
from .models import AccessRequest, MonthlyTotal, PrivacyRequest

# Rows by table; a privacy request counts that names nobody any more.
ErasedRows = Counter[str]

# What belongs to a submission, and what belongs to a lead beside that.
_OF_SUBMISSIONS = (BrochureDownload, Registration, Alert, Consent)
_OF_LEADS = (Consent, OutgoingMail, LeadWord)


def erase_person(session: Session, address: str, *, key: Keys, now: datetime) -> ErasedRows:
    """Erase what is kept of this address's owner, and add the address to the list of erased ones (`key` is its key)."""
    # Before the lead, as when one is released: two who hold both never cross.
    own = select(Submission.id).where(Submission.id.in_(find_held(session, address)), Submission.lead_id.is_(None))
    held = session.scalars(own.order_by(Submission.id).with_for_update()).all()
    add_address(session, address, key=key, now=now)
    lead = find_lead(session, address)
    erased = erase_leads(session, [lead.id] if lead else [], now=now)
    erased += erase_submissions(session, held, now=now)
    _delete_access_requests(session, {email_key(address)})
    return erased


def reapply_erasures(session: Session, *, key: Keys, now: datetime) -> ErasedRows:
    """Erase again what dates from before its owner was erased; a second time finds nothing.

    A lead who has sent a form since stays, with what they sent since, and under the names of then.
    """
    matcher, erased = AddressMatcher(session, key), ErasedRows()
    for batch in in_batches(matcher.find_held(session)):
        erased += erase_submissions(session, batch, now=now)
    for leads in in_batches(matcher.find_leads(session)):
        back = [(lead_id, erased_at) for lead_id, erased_at in leads if _has_come_back(session, lead_id, erased_at)]
        gone = {lead_id for lead_id, _ in leads} - {lead_id for lead_id, _ in back}
        erased += erase_leads(session, sorted(gone), now=now)
        for lead_id, erased_at in back:
            erased += _erase_earlier(session, lead_id, erased_at, now=now)
    return erased


def erase_leads(session: Session, lead_ids: Sequence[int], *, now: datetime) -> ErasedRows:
    """Delete these leads and all that is kept of them; some hundreds at a time.

    What they asked about their data is closed, and stays as a date. Seats still to come are offered to who waits.
    """
    keys = _lock_leads(session, lead_ids)
    if not keys:
        return ErasedRows()
    chosen = Submission.lead_id.in_(lead_ids)
    erased = ErasedRows({AccessRequest.__tablename__: _delete_access_requests(session, keys)})
    slots = _lock_slots(session, chosen, now=now)
    # Whoever decided a mail about one of them has come to an end, or waits and will find them gone.
    session.execute(select(Lead.id).where(Lead.id.in_(lead_ids)).order_by(Lead.id).with_for_update())
    add_mail_files(session, OutgoingMail.lead_id.in_(lead_ids), now=now)
    erased += _delete_submissions(session, chosen, now=now)
    for model in _OF_LEADS:
        erased[model.__tablename__] += _delete(session, model, model.lead_id.in_(lead_ids))
    erased[PrivacyRequest.__tablename__] = _close_requests(session, PrivacyRequest.lead_id.in_(lead_ids), now=now)
    erased[Lead.__tablename__] = _delete(session, Lead, Lead.id.in_(lead_ids))
    _finish(session, slots, now=now)
    return +erased


def erase_submissions(session: Session, submission_ids: Sequence[int], *, now: datetime) -> ErasedRows:
    """Delete these submissions with what they led to; their leads, which callers hold, stay."""
    chosen = Submission.id.in_(submission_ids)
    slots = _lock_slots(session, chosen, now=now)
    erased = _delete_submissions(session, chosen, now=now)
    _finish(session, slots, now=now)
    return +erased


def _has_come_back(session: Session, lead_id: int, erased_at: datetime) -> bool:
    last = session.scalar(select(func.max(Submission.submitted_at)).where(Submission.lead_id == lead_id))
    return last is not None and last > erased_at


def _erase_earlier(session: Session, lead_id: int, erased_at: datetime, *, now: datetime) -> ErasedRows:
    lead = session.get_one(Lead, lead_id)
    hold_lead(session, lead.email_key)
    own = Submission.lead_id == lead_id, Submission.submitted_at <= erased_at
    earlier = session.scalars(select(Submission.id).where(*own)).all()
    if not earlier:
        return ErasedRows()
    mails = (OutgoingMail.lead_id == lead_id) & (OutgoingMail.decided_at <= erased_at)
    requests = (PrivacyRequest.lead_id == lead_id) & (PrivacyRequest.asked_at <= erased_at)
    add_mail_files(session, mails, now=now)
    _delete(session, OutgoingMail, mails)
    _delete(session, Consent, Consent.lead_id == lead_id, Consent.given_at <= erased_at)
    _close_requests(session, requests, now=now)
    erased = erase_submissions(session, earlier, now=now)
    identify_again(session, lead)
    return erased


def _lock_leads(session: Session, lead_ids: Sequence[int]) -> set[str]:
    """Lock those that are still there, and return their keys.

    Before alerts and slots, as when a form is sent, and in one order: two who hold several never cross. What refers to
    them may still come (key_share), for whoever holds a slot decides mails about its people.
    """
    session.flush()
    leads = select(Lead.email_key).where(Lead.id.in_(lead_ids)).order_by(Lead.id)
    return set(session.scalars(leads.with_for_update(key_share=True)))


def _lock_slots(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> list[Slot]:
    """Lock the alerts, then the slots to come in which somebody has or had a seat, or waits."""
    alerts = select(Alert.id).where(Alert.submission_id.in_(_ids(chosen))).order_by(Alert.id)
    session.scalars(alerts.with_for_update()).all()
    theirs = select(Registration.slot_id).where(Registration.submission_id.in_(_ids(chosen)))
    ids = session.scalars(select(Slot.id).where(Slot.id.in_(theirs), Slot.starts_at > now).order_by(Slot.id)).all()
    return [slot for slot in (lock_slot(session, slot_id) for slot_id in ids) if slot is not None]


def _delete_submissions(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> ErasedRows:
    _add_to_totals(session, chosen)
    _add_digest_files(session, chosen, now=now)
    erased = ErasedRows()
    for model in _OF_SUBMISSIONS:
        erased[model.__tablename__] = _delete(session, model, model.submission_id.in_(_ids(chosen)))
    erased[Submission.__tablename__] = _delete(session, Submission, chosen)
    return erased


def _add_to_totals(session: Session, chosen: ColumnElement[bool]) -> None:
    """Add those of the chosen submissions that count to their month's totals, before they go."""
    counting = chosen, Submission.status.not_in(HELD), Submission.is_sample.is_(False)
    columns = Submission.submitted_at, Submission.form, Submission.utm_campaign, Submission.utm_source
    rows = session.execute(select(*columns).where(*counting).execution_options(yield_per=1000))
    counts: Counter[tuple[date, FormName, str, str]] = Counter(
        (at.astimezone(PARIS).date().replace(day=1), form, counted_text(campaign), counted_text(source))
        for at, form, campaign, source in rows
    )
    if not counts:
        return
    insert, key = insert_into(session, MonthlyTotal), ("month", "form", "campaign", "source")
    total = MonthlyTotal.count + insert.excluded.count
    # In one order for everybody: two who add to the same months never wait for each other.
    values = [dict(zip(key, texts, strict=True), count=count) for texts, count in sorted(counts.items())]
    session.execute(insert.on_conflict_do_update(index_elements=key, set_={"count": total}), values)


def _add_digest_files(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> None:
    """Record the files of the digests that told admissions of these submissions."""
    sent = session.scalars(select(Submission.submitted_at).where(chosen)).all()
    causes = {str(period(at)) for at in sent for period in (Period.hour_of, Period.day_of)}
    for batch in in_batches(sorted(causes)):
        add_mail_files(session, (OutgoingMail.template == DIGEST_EMAIL.name) & OutgoingMail.cause.in_(batch), now=now)


def _delete_access_requests(session: Session, email_keys: Collection[str]) -> int:
    ids = [request.id for request in find_access_requests(session, email_keys)]
    return _delete(session, AccessRequest, AccessRequest.id.in_(ids)) if ids else 0


def _close_requests(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> int:
    values: dict[str, Any] = {"lead_id": None, "done_at": func.coalesce(PrivacyRequest.done_at, now)}
    return _run(session, update(PrivacyRequest).where(chosen).values(values))


def _finish(session: Session, slots: Sequence[Slot], *, now: datetime) -> None:
    for slot in slots:
        pass_on(session, slot, now=now)
    session.flush()
    add_vacuum(session, now=now)


def _ids(chosen: ColumnElement[bool]) -> Select[int]:
    return select(Submission.id).where(chosen)


def _delete(session: Session, model: Any, *conditions: ColumnElement[bool]) -> int:
    return _run(session, delete(model).where(*conditions))


def _run(session: Session, statement: Any) -> int:
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)
