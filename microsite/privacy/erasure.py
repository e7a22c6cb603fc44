"""Deleting people for good: every row that holds them or points to them, in a few statements for many.

Callers commit, then have what deleted rows leave behind cleared (leftovers.py).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from ..brochures.models import BrochureDownload
from ..leads.models import Consent, Lead, LeadWord, Submission
from ..leads.normalise import email_key
from ..leads.notifications import DIGEST, Period
from ..open_days.models import Alert, Registration, Slot
from ..open_days.seats import lock_slot, pass_on
from ..outbox.models import OutgoingMail
from .cleanup import note_database, note_mails
from .models import AccessRequest, PrivacyRequest
from .past import keep_totals

# What belongs to a submission, and what belongs to a lead beside that.
_OF_SUBMISSIONS = (BrochureDownload, Registration, Alert, Consent)
_OF_LEADS = (Consent, OutgoingMail, LeadWord)
# Causes in one statement.
_CAUSES = 500


@dataclass(frozen=True, kw_only=True)
class Scrubbed:
    """How many rows of each table went; of a privacy request, that it names nobody any more."""

    counts: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Scrubbed") -> "Scrubbed":
        return Scrubbed(counts=dict(Counter(self.counts) + Counter(other.counts)))


def scrub_leads(session: Session, lead_ids: Sequence[int], *, now: datetime) -> Scrubbed:
    """Delete these leads and all that is kept of them; some hundreds at a time.

    What they asked about their data is done with, and stays as a date. Seats still to come pass on to who waits.
    """
    keys = _hold(session, lead_ids)
    if not keys:
        return Scrubbed()
    chosen = Submission.lead_id.in_(lead_ids)
    counts = Counter({AccessRequest.__tablename__: forget_asked(session, keys)})
    _hold_alerts(session, chosen)
    slots = _hold_slots(session, chosen, now=now)
    # Whoever decided a mail about one of them has come to an end, or waits and will find them gone.
    session.execute(select(Lead.id).where(Lead.id.in_(lead_ids)).order_by(Lead.id).with_for_update())
    note_mails(session, OutgoingMail.lead_id.in_(lead_ids), now=now)
    counts += _scrub(session, chosen, now=now)
    for model in _OF_LEADS:
        counts[model.__tablename__] += _delete(session, model, model.lead_id.in_(lead_ids))
    counts[PrivacyRequest.__tablename__] += _unname_requests(session, lead_ids, now=now)
    counts[Lead.__tablename__] += _delete(session, Lead, Lead.id.in_(lead_ids))
    _end(session, slots, now=now)
    return Scrubbed(counts=+counts)


def scrub_submissions(session: Session, submission_ids: Sequence[int], *, now: datetime) -> Scrubbed:
    """Delete these submissions with what they led to; their leads, where they have one, stay.

    Callers hold those leads.
    """
    chosen = Submission.id.in_(submission_ids)
    _hold_alerts(session, chosen)
    slots = _hold_slots(session, chosen, now=now)
    counts = _scrub(session, chosen, now=now)
    _end(session, slots, now=now)
    return Scrubbed(counts=+counts)


def _hold(session: Session, lead_ids: Sequence[int]) -> set[str]:
    """The keys of those that are there still, changed by nobody else until the transaction ends.

    Before alerts and slots, as when a form is sent, and in one order: two who hold several never cross. What refers to
    them may still come (key_share), for whoever holds a slot decides mails about its people.
    """
    session.flush()
    held = select(Lead.email_key).where(Lead.id.in_(lead_ids)).order_by(Lead.id)
    return set(session.scalars(held.with_for_update(key_share=True)))


def _hold_alerts(session: Session, chosen: ColumnElement[bool]) -> None:
    theirs = select(Alert.id).where(Alert.submission_id.in_(_ids(chosen))).order_by(Alert.id)
    session.scalars(theirs.with_for_update()).all()


def _hold_slots(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> list[Slot]:
    """Those to come in which somebody has a seat or waits, or had and did."""
    theirs = select(Registration.slot_id).where(Registration.submission_id.in_(_ids(chosen)))
    ids = session.scalars(select(Slot.id).where(Slot.id.in_(theirs), Slot.starts_at > now).order_by(Slot.id)).all()
    return [slot for slot in (lock_slot(session, slot_id) for slot_id in ids) if slot is not None]


def _scrub(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> Counter[str]:
    keep_totals(session, chosen)
    _note_told(session, chosen, now=now)
    counts: Counter[str] = Counter()
    for model in _OF_SUBMISSIONS:
        counts[model.__tablename__] += _delete(session, model, model.submission_id.in_(_ids(chosen)))
    counts[Submission.__tablename__] += _delete(session, Submission, chosen)
    return counts


def _note_told(session: Session, chosen: ColumnElement[bool], *, now: datetime) -> None:
    """The files of the digests that told admissions of these submissions."""
    sent = session.scalars(select(Submission.submitted_at).where(chosen)).all()
    periods = {str(period(at)) for at in sent for period in (Period.hour_of, Period.day_of)}
    causes = sorted(periods)
    for start in range(0, len(causes), _CAUSES):
        told = OutgoingMail.cause.in_(causes[start : start + _CAUSES])
        note_mails(session, (OutgoingMail.template == DIGEST) & told, now=now)


def forget_asked(session: Session, keys: Collection[str]) -> int:
    """Links that were asked for with these keys: few at any time, for the worker answers them within seconds."""
    asked = session.execute(select(AccessRequest.id, AccessRequest.email)).all()
    theirs = [request_id for request_id, email in asked if email_key(email) in keys]
    return _delete(session, AccessRequest, AccessRequest.id.in_(theirs)) if theirs else 0


def _unname_requests(session: Session, lead_ids: Sequence[int], *, now: datetime) -> int:
    theirs = update(PrivacyRequest).where(PrivacyRequest.lead_id.in_(lead_ids))
    values: dict[str, Any] = {"lead_id": None, "done_at": func.coalesce(PrivacyRequest.done_at, now)}
    return _run(session, theirs.values(values))


def _end(session: Session, slots: Sequence[Slot], *, now: datetime) -> None:
    for slot in slots:
        pass_on(session, slot, now=now)
    session.flush()
    note_database(session, now=now)


def _ids(chosen: ColumnElement[bool]) -> Any:
    return select(Submission.id).where(chosen)


def _delete(session: Session, model: Any, *conditions: ColumnElement[bool]) -> int:
    return _run(session, delete(model).where(*conditions))


def _run(session: Session, statement: Any) -> int:
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)
