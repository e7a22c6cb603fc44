"""Messages about a planned slot, for the pages and the import: why it is refused, and what may be a mistake."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from ..formatters import PARIS, format_clock, format_day
from ..school import day_ends
from .checks import Fault
from .planning import SlotPlan

# What a day is called unless somebody says otherwise.
TITLE = "Journée portes ouvertes"
CAPACITY_LEAST, CAPACITY_MOST = 1, 10_000
FAULTS = {
    Fault.PAST: "un créneau doit commencer dans l’avenir.",
    Fault.OVERLAP: "deux créneaux se chevauchent.",
    Fault.OPENS_TOO_LATE: "les inscriptions doivent ouvrir avant le début du créneau.",
    Fault.CLOSES_BEFORE_IT_OPENS: "les inscriptions doivent ouvrir avant de fermer.",
    Fault.CLOSES_TOO_LATE: "les inscriptions ne peuvent pas fermer après le début du créneau.",
}
# Earlier than that, somebody has rather typed 2:00 for two in the afternoon.
_DAWN = time(7)
_FAR = timedelta(days=2 * 365)


def until_it_begins(closes_at: datetime | None, starts_at: datetime) -> datetime | None:
    """None for the evening of the slot's day: registration closes as it begins anyway."""
    if closes_at is None or starts_at < closes_at <= _midnight_after(starts_at):
        return None
    return closes_at


def doubts(plan: SlotPlan, *, now: datetime) -> Iterable[str]:
    """What may be a slip of the hand."""
    if plan.starts_at.astimezone(PARIS).time() < _DAWN:
        yield f"le créneau commence à {format_clock(plan.starts_at)}, avant le jour"
    if plan.starts_at > now + _FAR:
        yield f"le créneau est dans plus de deux ans ({format_day(plan.starts_at)})"
    if plan.closes_at is not None and plan.closes_at <= now:
        yield "les inscriptions sont déjà closes"


def _midnight_after(at: datetime) -> datetime:
    return day_ends(at.astimezone(PARIS).date())
