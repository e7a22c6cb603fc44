"""What admissions look at: how each slot fills, who is in it, and what else is planned that day."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from ..leads.models import FormName, Submission
from ..school import day_begins, day_ends
from ..text import sort_key
from .models import OVER, OpenDay, Registration, RegistrationState, Slot
from .planning import DayPlan, SlotPlan


@dataclass(frozen=True, kw_only=True)
class SlotFilling:
    """Seats held by each state; `parties` counts registrations instead."""

    slot: Slot
    seats: dict[RegistrationState, int]
    parties: dict[RegistrationState, int]

    @property
    def taken(self) -> int:
        return sum(count for state, count in self.seats.items() if state is not RegistrationState.WAITING)


@dataclass(frozen=True, kw_only=True)
class Attendee:
    """`place` in the waiting list, from 1; `access_needs` is what they told in any of their requests for this slot."""

    registration: Registration
    place: int | None
    access_needs: str


def list_fillings(session: Session, *, after: datetime) -> list[SlotFilling]:
    """Every slot that ends after that moment, cancelled ones too, earliest first."""
    return _fillings(session, select(Slot.id).where(Slot.ends_at > after))


def next_day(session: Session, *, now: datetime) -> list[SlotFilling]:
    """The slots of the day that comes next, or is on, those left of it; none where nothing is planned."""
    ahead = Slot.ends_at > now, Slot.cancelled_at.is_(None)
    first = select(Slot.open_day_id).where(*ahead).order_by(Slot.starts_at, Slot.id).limit(1).scalar_subquery()
    return _fillings(session, select(Slot.id).where(*ahead, Slot.open_day_id == first))


def list_past(session: Session, *, now: datetime, before: Slot | None, limit: int) -> list[SlotFilling]:
    """Slots that have ended, latest first; from there on, those that come after `before` in that order."""
    past = select(Slot.id).where(Slot.ends_at <= now).order_by(Slot.starts_at.desc(), Slot.id.desc()).limit(limit)
    if before is not None:
        as_late = and_(Slot.starts_at == before.starts_at, Slot.id < before.id)
        past = past.where(or_(Slot.starts_at < before.starts_at, as_late))
    return _fillings(session, select(past.subquery().c.id))[::-1]


def get_filling(session: Session, slot: Slot) -> SlotFilling:
    return _fillings(session, select(Slot.id).where(Slot.id == slot.id))[0]


def count_told(session: Session, slots: Iterable[Slot]) -> int:
    """Registrations with a seat or in the line: who hears of it when these slots are moved or called off."""
    active = Registration.slot_id.in_([slot.id for slot in slots]), Registration.state.not_in(OVER)
    return session.execute(select(func.count()).select_from(Registration).where(*active)).scalar_one()


def list_attendees(session: Session, slot: Slot) -> list[Attendee]:
    """Who has a seat, by name, then the waiting list in its order. What is over isn't there."""
    active = Registration.slot_id == slot.id, Registration.state.not_in(OVER)
    registrations = session.scalars(
        select(Registration).where(*active).options(joinedload(Registration.submission)).order_by(Registration.id)
    ).all()
    needs = _access_needs(session, slot)
    waiting = [entry for entry in registrations if entry.state is RegistrationState.WAITING]
    seated = sorted((entry for entry in registrations if entry not in waiting), key=_name)
    places = {entry.id: place for place, entry in enumerate(waiting, start=1)}
    return [
        Attendee(registration=entry, place=places.get(entry.id), access_needs=needs.get(entry.lead_id, ""))
        for entry in [*seated, *waiting]
    ]


def same_days(session: Session, *, title: str, place: str, since: datetime, until: datetime) -> list[OpenDay]:
    """Planned days of that title and place with a slot, cancelled or not, that begins between the two."""
    begins = Slot.starts_at >= since, Slot.starts_at < until
    named = OpenDay.title == title, OpenDay.place == place, OpenDay.is_sample.is_(False)
    return list(session.scalars(select(OpenDay).where(*named, _has_slot(*begins)).order_by(OpenDay.id)))


def is_planned(session: Session, plan: DayPlan, slots: Iterable[SlotPlan]) -> bool:
    """Whether a day of that title and place has a slot already that begins when one of these does."""
    begins = Slot.starts_at.in_([slot.starts_at for slot in slots])
    held = begins, Slot.cancelled_at.is_(None), OpenDay.title == plan.title, OpenDay.place == plan.place
    there = select(Slot.id).join(Slot.open_day).where(*held, OpenDay.is_sample.is_(False))
    return session.scalar(there.limit(1)) is not None


def days_on(session: Session, day: date) -> list[OpenDay]:
    """Whatever takes place on that day in Paris, samples aside."""
    since, until = day_begins(day), day_ends(day)
    held = Slot.starts_at >= since, Slot.starts_at < until, Slot.cancelled_at.is_(None)
    return list(
        session.scalars(select(OpenDay).where(OpenDay.is_sample.is_(False), _has_slot(*held)).order_by(OpenDay.id))
    )


def has_samples(session: Session) -> bool:
    return session.scalar(select(OpenDay.id).where(OpenDay.is_sample).limit(1)) is not None


def _has_slot(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Slot.id).where(Slot.open_day_id == OpenDay.id, *conditions).exists()


def _fillings(session: Session, ids: Select[int]) -> list[SlotFilling]:
    chosen = select(Slot).join(Slot.open_day).options(contains_eager(Slot.open_day)).where(Slot.id.in_(ids))
    slots = session.scalars(chosen.order_by(Slot.starts_at, Slot.id)).all()
    counts: dict[int, list[Any]] = defaultdict(list)
    seats = func.sum(1 + Registration.companions)
    active = Registration.state.not_in(OVER), Registration.slot_id.in_(ids)
    counted = select(Registration.slot_id, Registration.state, seats, func.count()).where(*active)
    for row in session.execute(counted.group_by(Registration.slot_id, Registration.state)):
        counts[row[0]].append(row)
    return [
        SlotFilling(
            slot=slot,
            seats={row[1]: int(row[2]) for row in counts[slot.id]},
            parties={row[1]: int(row[3]) for row in counts[slot.id]},
        )
        for slot in slots
    ]


def _name(registration: Registration) -> tuple[str, int]:
    submission = registration.submission
    return sort_key(submission.last_name, submission.first_name), registration.id


def _access_needs(session: Session, slot: Slot) -> dict[int, str]:
    """By lead: a form that is sent again takes no second seat, but may say for the first time what is needed."""
    registered = select(Registration.lead_id).where(Registration.slot_id == slot.id)
    sent = select(Submission).where(Submission.form == FormName.OPEN_DAY, Submission.lead_id.in_(registered))
    needs: dict[int, list[str]] = defaultdict(list)
    for submission in session.scalars(sent.order_by(Submission.id)):
        told = submission.answers.get("access_needs")
        if submission.lead_id is None or not told or submission.answers.get("slot_id") != slot.id:
            continue
        if told not in needs[submission.lead_id]:
            needs[submission.lead_id].append(told)
    return {lead_id: "\n".join(told) for lead_id, told in needs.items()}
