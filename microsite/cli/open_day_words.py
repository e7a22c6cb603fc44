"""Open days found by their numbers, and in words: what a slot is, who is told."""

from collections.abc import Iterable
from datetime import datetime

import click

from ..db import db
from ..open_days.models import OpenDay, Slot
from ..open_days.planning import SlotPlan
from ..school import PARIS


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
