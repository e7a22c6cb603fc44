"""Planning open days and registering people in their slots."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..leads.models import Submission
from ..outbox.services import enqueue
from ..school import PARIS
from .models import Alert, OpenDay, Registration, RegistrationState, Slot
from .queries import find_registration, seats_taken

# Mails: what was registered, and that a date will be told.
REGISTERED = "registration"
PROMISED = "alert"


class SlotFull(ValueError):
    """Fewer seats left than the party needs; `remaining` says how many."""

    def __init__(self, remaining: int) -> None:
        super().__init__(remaining)
        self.remaining = remaining


class SlotClosed(ValueError):
    """The slot has begun, or doesn't exist any more."""


@dataclass(frozen=True, kw_only=True)
class SlotPlan:
    """A slot to be added; aware times."""

    starts_at: datetime
    ends_at: datetime
    capacity: int


def plan_open_day(
    session: Session, *, title: str, place: str, slots: list[SlotPlan], now: datetime, is_sample: bool = False
) -> OpenDay:
    day = OpenDay(title=title, place=place, is_sample=is_sample, created_at=now)
    day.slots = [Slot(starts_at=plan.starts_at, ends_at=plan.ends_at, capacity=plan.capacity) for plan in slots]
    session.add(day)
    session.flush()
    return day


def plan_samples(session: Session, *, now: datetime) -> None:
    """Two open days on coming Saturdays, marked as samples, so that a new installation can be tried."""
    today = now.astimezone(PARIS).date()
    saturday = today + timedelta(days=(5 - today.weekday()) % 7 + 21)
    for day, capacity in ((saturday, 30), (saturday + timedelta(weeks=4), 4)):
        slots = [SlotPlan(starts_at=_at(day, hour), ends_at=_at(day, hour + 2), capacity=capacity) for hour in (10, 14)]
        plan_open_day(
            session,
            title="Journée portes ouvertes",
            place="lieu d’exemple",
            slots=slots,
            now=now,
            is_sample=True,
        )


def remove_samples(session: Session, *, now: datetime) -> tuple[int, int]:
    """Delete the sample days; whoever registered in one is to be told of the next date. Counts days and people."""
    days = session.scalars(select(OpenDay.id).where(OpenDay.is_sample)).all()
    slots = select(Slot.id).where(Slot.open_day_id.in_(days))
    registrations = session.scalars(select(Registration).where(Registration.slot_id.in_(slots))).all()
    for registration in registrations:
        session.add(Alert(submission_id=registration.submission_id, lead_id=registration.lead_id, created_at=now))
        session.delete(registration)
    session.flush()
    session.execute(delete(Slot).where(Slot.open_day_id.in_(days)))
    session.execute(delete(OpenDay).where(OpenDay.id.in_(days)))
    return len(days), len(registrations)


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=PARIS).astimezone(UTC)


def follow_up(session: Session, submission: Submission, *, now: datetime) -> None:
    """What an open-day submission leads to: a seat, or an alert for those who chose no slot; and a mail about it.

    Raises SlotFull or SlotClosed; the caller then rolls everything back.
    """
    answers: dict[str, Any] = submission.answers
    if answers["slot_id"] is None:
        promise_alert(session, submission, now=now)
    else:
        register(session, submission, slot_id=answers["slot_id"], companions=answers["companions"], now=now)
        enqueue(session, template=REGISTERED, cause=submission.reference, lead_id=submission.lead_id, now=now)


def promise_alert(session: Session, submission: Submission, *, now: datetime) -> None:
    """Note that this lead is to be told when an open day is added."""
    session.add(Alert(submission_id=submission.id, lead_id=submission.lead_id, created_at=now))
    enqueue(session, template=PROMISED, cause=submission.reference, lead_id=submission.lead_id, now=now)


def register(session: Session, submission: Submission, *, slot_id: int, companions: int, now: datetime) -> Registration:
    """Take 1 + companions seats, never more than are left; raises SlotFull or SlotClosed.

    A lead who holds a registration in this slot already keeps that one, unchanged; asking for another number of
    companions marks the lead for review, for anyone can type anyone's address. The seats are looked at first all
    the same, so that the answer says nothing about who is registered.
    """
    # The row's lock (SQLite: the writing transaction itself) makes registrations for one slot queue.
    slot = session.scalar(select(Slot).where(Slot.id == slot_id).with_for_update())
    if slot is None or slot.starts_at <= now:
        raise SlotClosed(slot_id)
    remaining = slot.capacity - seats_taken(session, slot.id)
    if remaining < 1 + companions:
        raise SlotFull(max(0, remaining))
    lead = submission.lead
    if lead is None:
        raise ValueError("a quarantined submission takes no seat")
    active = find_registration(session, lead_id=lead.id, slot_id=slot.id)
    if active is not None:
        if active.companions != companions:
            lead.needs_review = True
        return active
    registration = Registration(
        submission_id=submission.id,
        lead_id=lead.id,
        slot_id=slot.id,
        companions=companions,
        state=RegistrationState.CONFIRMED,
        created_at=now,
    )
    session.add(registration)
    session.flush()
    return registration
