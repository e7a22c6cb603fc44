"""Open days found by their numbers, and in words: what a slot is, why a plan can't be, what in it may be a mistake."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

import click

from ..db import db
from ..open_days.checks import Fault
from ..open_days.models import OpenDay, Slot
from ..open_days.planning import SlotPlan
from ..school import PARIS

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


def find_slot(slot_id: int) -> Slot:
    slot = db.session.get(Slot, slot_id)
    if slot is None:
        raise click.ClickException(f"aucun créneau n’a le numéro {slot_id} ; open-days list les montre.")
    return slot


def find_day(day_id: int) -> OpenDay:
    day = db.session.get(OpenDay, day_id)
    if day is None:
        raise click.ClickException(f"aucune journée n’a le numéro {day_id} ; open-days list les montre.")
    return day


def one_of(slot_id: int | None, day_id: int | None) -> None:
    if (slot_id is None) == (day_id is None):
        raise click.UsageError("donnez --slot NUMÉRO ou --day NUMÉRO, que montre open-days list.")


def moment(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%d/%m/%Y %H:%M}"


def hours(slot: Slot | SlotPlan) -> str:
    return f"{moment(slot.starts_at)}-{slot.ends_at.astimezone(PARIS):%H:%M}"


def window(slot: Slot | SlotPlan) -> str:
    """When one can register; empty if that is at once and until the slot begins."""
    opens = f"dès le {moment(slot.opens_at)}" if slot.opens_at else ""
    closes = f"jusqu’au {moment(slot.closes_at)}" if slot.closes_at else ""
    return ", ".join(part for part in (opens, closes) if part)


def until_it_begins(closes_at: datetime | None, starts_at: datetime) -> datetime | None:
    """None for the evening of the slot's day: registration closes as it begins anyway."""
    if closes_at is None or starts_at < closes_at <= _midnight_after(starts_at):
        return None
    return closes_at


def doubts(plan: SlotPlan, *, now: datetime) -> Iterable[str]:
    """What may be a slip of the hand."""
    if plan.starts_at.astimezone(PARIS).time() < _DAWN:
        yield f"le créneau commence à {plan.starts_at.astimezone(PARIS):%H:%M}, avant le jour"
    if plan.starts_at > now + _FAR:
        yield f"le créneau est dans plus de deux ans ({plan.starts_at.astimezone(PARIS):%d/%m/%Y})"
    if plan.closes_at is not None and plan.closes_at <= now:
        yield "les inscriptions sont déjà closes"


def already_planned(days: Iterable[OpenDay]) -> Iterable[str]:
    for day in days:
        yield (
            f"une journée est déjà prévue ce jour-là, « {day.title}, {day.place} » ; "
            f"pour lui ajouter un créneau : open-days add --day {day.id}"
        )


def warn(doubted: Iterable[str]) -> None:
    """Once each, beside the command's own output."""
    for doubt in dict.fromkeys(doubted):
        click.echo(f"Attention : {doubt}.", err=True)


def people(count: int) -> str:
    return "1 personne" if count == 1 else f"{count} personnes"


def places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"


def _midnight_after(at: datetime) -> datetime:
    day = at.astimezone(PARIS).date() + timedelta(days=1)
    return datetime.combine(day, time(), tzinfo=PARIS)
