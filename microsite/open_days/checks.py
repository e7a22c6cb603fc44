"""What makes a planned slot impossible."""

import enum
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from .planning import SlotPlan


class Fault(enum.Enum):
    PAST = enum.auto()
    OVERLAP = enum.auto()
    # Registration would open once the slot has begun, or once it has closed; or close after the slot began.
    OPENS_TOO_LATE = enum.auto()
    CLOSES_BEFORE_IT_OPENS = enum.auto()
    CLOSES_TOO_LATE = enum.auto()


class Span(Protocol):
    """Anything with a beginning and an end: a slot, or the plan of one."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


def find_fault(plan: SlotPlan, *, others: Iterable[Span], now: datetime) -> Fault | None:
    """Why it can't be, if so; `others` are the slots of its day that take place."""
    if plan.starts_at <= now:
        return Fault.PAST
    if any(overlap(plan, other) for other in others):
        return Fault.OVERLAP
    return _window_fault(plan)


def overlap(one: Span, other: Span) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _window_fault(plan: SlotPlan) -> Fault | None:
    opens_at, closes_at = plan.opens_at, plan.closes_at
    if opens_at is not None and opens_at >= plan.starts_at:
        return Fault.OPENS_TOO_LATE
    if closes_at is not None and closes_at > plan.starts_at:
        return Fault.CLOSES_TOO_LATE
    if opens_at is not None and closes_at is not None and opens_at >= closes_at:
        return Fault.CLOSES_BEFORE_IT_OPENS
    return None
