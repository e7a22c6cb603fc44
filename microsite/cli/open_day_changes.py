"""flask --app wsgi open-days edit: whom it concerns is told, and the command says how many they are."""

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db
from ..open_days.checks import find_fault
from ..open_days.models import ONLINE, PLACE_LIMIT, TEXT_LIMIT, TITLE_LIMIT, URL_LIMIT, OpenDay, Slot
from ..open_days.plan_words import CAPACITY_MOST, FAULTS, doubts, until_it_begins
from ..open_days.planning import (
    DayPlan,
    SlotEdited,
    SlotPlan,
    edit_day,
    edit_slot,
    lock_planning,
)
from ..school import PARIS
from ..web.context import utc_now
from .open_day_words import find_day, find_slot, moment, one_of, people, warn
from .options import Day, Hours, Line, Moment, Number, SecureUrl, paris_time

_OF_A_SLOT = ("on", "span", "capacity", "opens", "closes", "no_window")
_OF_A_DAY = ("title", "place", "access", "description", "online_url")
_NAMES = {
    "title": "titre",
    "place": "lieu",
    "access": "accès",
    "description": "description",
    "online_url": "adresse en ligne",
    "starts_at": "début",
    "ends_at": "fin",
    "capacity": "places",
    "opens_at": "ouverture des inscriptions",
    "closes_at": "clôture des inscriptions",
}


def _optional(limit: int) -> Line:
    return Line(limit=limit, may_be_empty=True)


@click.command("edit")
@click.option("--slot", "slot_id", type=Number(), help="Le créneau à changer, par son numéro dans open-days list.")
@click.option("--date", "on", type=Day(), help="Créneau : un autre jour.")
@click.option("--hours", "span", type=Hours(), help="Créneau : un autre horaire.")
@click.option(
    "--capacity", type=click.IntRange(0, CAPACITY_MOST), help="Créneau : ses places. Qui est inscrit le reste."
)
@click.option("--opens", type=Moment(), help="Créneau : quand ouvrent les inscriptions.")
@click.option("--closes", type=Moment(ends_day=True), help="Créneau : quand elles ferment (un jour : ce jour inclus).")
@click.option("--no-window", is_flag=True, help="Créneau : inscriptions ouvertes tout de suite et jusqu’au début.")
@click.option("--day", "day_id", type=Number(), help="La journée à changer, avec tous ses créneaux.")
@click.option("--title", type=Line(limit=TITLE_LIMIT), help="Journée : son nom.")
@click.option("--place", type=Line(limit=PLACE_LIMIT), help="Journée : son lieu.")
@click.option("--access", type=_optional(TEXT_LIMIT), help='Journée : comment venir ; "" efface.')
@click.option("--description", type=_optional(TEXT_LIMIT), help='Journée : ce qui attend les visiteurs ; "" efface.')
@click.option(
    "--online",
    "online_url",
    type=SecureUrl(limit=URL_LIMIT, may_be_empty=True),
    help='Journée : son adresse en ligne ; "" en refait une journée sur place.',
)
@with_appcontext
def edit(slot_id: int | None, day_id: int | None, **wanted: Any) -> None:
    """Change un créneau ou une journée.

    Avec --slot ou --day, seul ce qui est donné change. Pour un autre horaire, un autre lieu ou une autre adresse en
    ligne, les inscrits et la file d’attente sont prévenus.
    """
    given = {name: value for name, value in wanted.items() if value not in (None, False)}
    one_of(slot_id, day_id)
    _refuse_strangers(given, is_slot=slot_id is not None)
    lock_planning(db.session())
    if slot_id is not None:
        _edit_slot(find_slot(slot_id), given)
    elif day_id is not None:
        _edit_day(find_day(day_id), given)


def _refuse_strangers(given: dict[str, Any], *, is_slot: bool) -> None:
    if set(given) - set(_OF_A_SLOT if is_slot else _OF_A_DAY):
        kind, other = ("un créneau", "--day") if is_slot else ("une journée", "--slot")
        raise click.UsageError(f"une de ces options n’est pas pour {kind} : elle va avec {other}.")


def _refuse_gone(slot: Slot, *, now: datetime) -> None:
    if slot.cancelled_at is not None:
        raise click.ClickException("ce créneau est annulé : il ne change plus ; open-days add en ajoute un autre.")
    if slot.starts_at <= now:
        raise click.ClickException("ce créneau a commencé, ou il est passé : il ne change plus.")


def _edit_slot(slot: Slot, given: dict[str, Any]) -> None:
    now = utc_now()
    _refuse_gone(slot, now=now)
    old = SlotPlan.of(slot)
    plan = _changed(old, given)
    others = [other for other in slot.open_day.slots if other is not slot and other.cancelled_at is None]
    fault = find_fault(plan, others=others, now=now)
    if fault is not None:
        raise click.ClickException(FAULTS[fault])
    changes = _changes(old, plan)
    if not changes:
        click.echo("Rien à changer : ce créneau est déjà ainsi.")
        return
    edited = edit_slot(db.session(), slot, plan, now=now)
    db.session.commit()
    _tell_changes(f"Créneau {slot.id} modifié :", changes)
    _tell_consequences(plan, edited, is_moved=(old.starts_at, old.ends_at) != (plan.starts_at, plan.ends_at))
    warn(_slot_doubts(old, plan, edited, now=now))


def _changed(old: SlotPlan, given: dict[str, Any]) -> SlotPlan:
    plan = old
    if given.get("on") or given.get("span"):
        start, end = (at.astimezone(PARIS) for at in (old.starts_at, old.ends_at))
        on: date = given.get("on", start.date())
        span: tuple[time, time] = given.get("span", (start.time(), end.time()))
        plan = replace(plan, starts_at=paris_time(on, span[0]), ends_at=paris_time(on, span[1]))
    if "capacity" in given:
        plan = replace(plan, capacity=given["capacity"])
    if "no_window" in given:
        plan = replace(plan, opens_at=None, closes_at=None)
    if "opens" in given:
        plan = replace(plan, opens_at=given["opens"])
    if "closes" in given:
        plan = replace(plan, closes_at=given["closes"])
    return replace(plan, closes_at=until_it_begins(plan.closes_at, plan.starts_at))


def _slot_doubts(old: SlotPlan, plan: SlotPlan, edited: SlotEdited, *, now: datetime) -> list[str]:
    found = list(doubts(plan, now=now))
    if edited.taken > plan.capacity:
        found.append(
            f"places prises : {edited.taken}, pour {plan.capacity} ; qui est inscrit le reste, "
            "et aucune place ne se libère avant que l’on repasse dessous"
        )
    if plan.starts_at != old.starts_at and plan.closes_at is not None and plan.closes_at == old.closes_at:
        found.append(f"les inscriptions ferment toujours le {moment(plan.closes_at)} ; --closes change cela")
    return found


def _tell_consequences(plan: SlotPlan, edited: SlotEdited, *, is_moved: bool) -> None:
    if is_moved:
        click.echo(f"Prévenues du nouvel horaire, par un message : {people(edited.told)}.")
    if edited.offered:
        click.echo(f"À qui des places sont proposées, dans la file d’attente : {people(edited.offered)}.")
    click.echo(f"Places prises : {edited.taken} / {plan.capacity}")


def _edit_day(day: OpenDay, given: dict[str, Any]) -> None:
    now = utc_now()
    if not any(slot.cancelled_at is None and slot.starts_at > now for slot in day.slots):
        raise click.ClickException("cette journée est passée ou annulée : elle ne change plus.")
    old = DayPlan.of(day)
    plan = replace(old, **given)
    if plan.online_url and not old.online_url and "place" not in given:
        plan = replace(plan, place=ONLINE)
    if old.online_url and not plan.online_url and plan.place == ONLINE:
        raise click.UsageError("dites où elle aura lieu : --place.")
    changes = _changes(old, plan)
    if not changes:
        click.echo("Rien à changer : cette journée est déjà ainsi.")
        return
    told = edit_day(db.session(), day, plan, now=now)
    db.session.commit()
    _tell_changes(f"Journée {day.id} modifiée :", changes)
    if plan.is_elsewhere(old):
        click.echo(f"Prévenues du nouveau lieu, par un message : {people(told)}.")


def _changes(old: DayPlan | SlotPlan, new: DayPlan | SlotPlan) -> list[str]:
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in _NAMES if hasattr(old, name))
    return [f"  {_NAMES[name]} : {_text(was)} → {_text(is_now)}" for name, was, is_now in pairs if was != is_now]


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return "rien" if value in (None, "") else str(value)


def _tell_changes(heading: str, changes: list[str]) -> None:
    click.echo("\n".join([heading, *changes]))
