"""Slots and people without a form in between: what is asked of the services, one transaction each."""

from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from microsite.campaigns.attribution import Attribution
from microsite.db import db
from microsite.leads.models import FormName
from microsite.leads.receipts import Receipt
from microsite.leads.services import Person, Sending, capture
from microsite.open_days.models import Registration, Slot
from microsite.open_days.planning import DayPlan, SlotPlan, plan_open_day
from microsite.open_days.services import register

_numbers = count(1)


def person(email: str = "") -> Person:
    """Somebody new, unless the address is given."""
    return Person(first_name="Zoé", last_name="Lefèvre", email=email or f"zoe{next(_numbers)}@exemple.fr", phone=None)


def submit(session: Session, slot: Slot, *, companions: int, may_wait: bool, email: str = "", now: datetime) -> Receipt:
    """The form, captured; nothing is booked yet."""
    answers = {
        "slot_id": slot.id,
        "slot_starts_at": slot.starts_at.isoformat(),
        "slot_ends_at": slot.ends_at.isoformat(),
        "may_wait": may_wait,
        "companions": companions,
        "access_needs": "",
    }
    sending = Sending(
        form=FormName.OPEN_DAY,
        nonce=f"{next(_numbers):032}",
        person=person(email),
        programme=None,
        level=None,
        answers=answers,
        agreed=(),
        attribution=Attribution(),
    )
    return capture(session, sending, now=now).receipt


def book(slot: Slot, *, companions: int = 0, may_wait: bool = True, email: str = "", now: datetime) -> Registration:
    """Register somebody in the session's transaction; raises what register() raises."""
    session = db.session()
    receipt = submit(session, slot, companions=companions, may_wait=may_wait, email=email, now=now)
    return register(session, receipt, slot_id=slot.id, companions=companions, may_wait=may_wait, now=now)


def plan_slot(*, capacity: int, starts_at: datetime, hours: int = 2) -> Slot:
    plan = SlotPlan(starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours), capacity=capacity)
    day = plan_open_day(db.session(), DayPlan(title="Portes ouvertes", place="Paris"), [plan], now=starts_at)
    return day.slots[0]


def in_order(slot_id: int) -> list[Registration]:
    return list(
        db.session.scalars(select(Registration).where(Registration.slot_id == slot_id).order_by(Registration.id))
    )
