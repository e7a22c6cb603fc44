"""flask --app wsgi open-days …: plan open days, see how they fill. The other commands stand in modules beside."""

from collections.abc import Iterable
from datetime import date, datetime, time
from itertools import chain

import click

from ..db import db
from ..open_days.checks import Fault, find_fault
from ..open_days.models import ONLINE, PLACE_LIMIT, TEXT_LIMIT, TITLE_LIMIT, URL_LIMIT, OpenDay
from ..open_days.plan_words import CAPACITY_LEAST, CAPACITY_MOST, FAULTS, TITLE, doubts, until_it_begins
from ..open_days.planning import DayPlan, SlotPlan, add_slots, lock_planning, plan_open_day
from ..open_days.queries import waiting_alerts
from ..open_days.rosters import days_on, has_samples, is_planned
from ..open_days.samples import remove_samples
from ..web.context import utc_now
from .attendance import attendees, check_in_command, walk_in_command
from .group import DatabaseGroup
from .open_day_cancel import cancel
from .open_day_changes import edit
from .open_day_import import import_command
from .open_day_list import list_slots
from .open_day_words import already_planned, find_day, people, warn
from .options import Day, Hours, Line, Moment, Number, SecureUrl, paris_time

# Which option a fault is about.
_HINTS = {
    Fault.PAST: "--date",
    Fault.OVERLAP: "--slot",
    Fault.OPENS_TOO_LATE: "--opens",
    Fault.CLOSES_BEFORE_IT_OPENS: "--opens",
    Fault.CLOSES_TOO_LATE: "--closes",
}

open_days = DatabaseGroup(
    "open-days", help="Les journées portes ouvertes : les préparer, les changer, accueillir qui vient."
)
for command in (edit, list_slots, cancel, attendees, check_in_command, walk_in_command, import_command):
    open_days.add_command(command)


@open_days.command("add")
@click.option("--day", "day_id", type=Number(), help="Une journée déjà prévue, à qui ajouter des créneaux.")
@click.option("--title", type=Line(limit=TITLE_LIMIT), help=f"Le nom de la journée ; sinon « {TITLE} ».")
@click.option("--place", type=Line(limit=PLACE_LIMIT), help="Où venir, tel que les visiteurs le lisent.")
@click.option("--access", type=Line(limit=TEXT_LIMIT), help="Comment venir : métro, entrée, ascenseur…")
@click.option("--description", type=Line(limit=TEXT_LIMIT), help="Ce qui attend les visiteurs.")
@click.option(
    "--online", "online_url", type=SecureUrl(limit=URL_LIMIT), help="En ligne : l’adresse, que seuls les inscrits ont."
)
@click.option("--date", "on", type=Day(), required=True, help="Le jour.")
@click.option("--slot", "slots", type=Hours(), multiple=True, required=True, help="Un créneau ; à répéter.")
@click.option(
    "--capacity",
    type=click.IntRange(CAPACITY_LEAST, CAPACITY_MOST),
    required=True,
    help="Les places de chaque créneau.",
)
@click.option("--opens", type=Moment(), help="Ouverture des inscriptions ; sinon tout de suite.")
@click.option(
    "--closes", type=Moment(ends_day=True), help="Clôture des inscriptions (un jour : ce jour inclus) ; sinon au début."
)
def add(
    day_id: int | None,
    on: date,
    slots: tuple[tuple[time, time], ...],
    capacity: int,
    opens: datetime | None,
    closes: datetime | None,
    **said: str | None,
) -> None:
    """Ajoute une journée, ou des créneaux.

    Sans --day : une journée et ses créneaux ; avec lui, des créneaux à une journée déjà prévue. Les heures sont celles
    de Paris. Une date est 2027-02-06 ou 06/02/2027, suivie s’il le faut d’une heure.
    """
    now, session = utc_now(), db.session()
    plans = [_slot_plan(on, *span, capacity=capacity, opens=opens, closes=closes) for span in slots]
    wanted = {name: text for name, text in said.items() if text is not None}
    if day_id is None:
        plan = _day_plan(wanted)
    elif wanted:
        raise click.UsageError("--day va sans --title, --place, --access, --description ni --online : edit les change.")
    lock_planning(session)
    day = None if day_id is None else _planned_day(day_id)
    _refuse_faults(plans, day, now=now)
    if day is None:
        _refuse_double(plan, plans)
        held = days_on(session, on)
        day = plan_open_day(session, plan, plans, now=now)
    else:
        held = []
        add_slots(session, day, plans, now=now)
    told = waiting_alerts(session)
    warnings = [*already_planned(held), *chain.from_iterable(doubts(plan, now=now) for plan in plans)]
    if has_samples(session):
        warnings.append("des journées d’exemple sont encore proposées ; open-days remove-samples les retire")
    said_of_it = f"{day.title}, le {on:%d/%m/%Y}, créneaux : {len(plans)}, places par créneau : {capacity}"
    said_of_it += f" (journée {day.id})."
    db.session.commit()
    click.echo(f"Ajouté : {said_of_it}")
    if told:
        click.echo(f"À prévenir de cette date, dans dix minutes ou à l’ouverture des inscriptions : {people(told)}.")
    warn(warnings)


@open_days.command("remove-samples")
def remove_samples_command() -> None:
    """Retire les journées d’exemple.

    Qui s’y était inscrit sera prévenu de la prochaine date.
    """
    days, told = remove_samples(db.session())
    db.session.commit()
    click.echo(f"Journées d’exemple retirées : {days}. Inscriptions devenues « à prévenir » : {told}.")


def _slot_plan(
    on: date, start: time, end: time, *, capacity: int, opens: datetime | None, closes: datetime | None
) -> SlotPlan:
    starts_at = paris_time(on, start)
    return SlotPlan(
        starts_at=starts_at,
        ends_at=paris_time(on, end),
        capacity=capacity,
        opens_at=opens,
        closes_at=until_it_begins(closes, starts_at),
    )


def _day_plan(wanted: dict[str, str]) -> DayPlan:
    if "place" not in wanted and "online_url" not in wanted:
        raise click.UsageError("donnez --place, ou --online pour une journée en ligne.")
    return DayPlan(**{"title": TITLE, "place": ONLINE} | wanted)


def _planned_day(day_id: int) -> OpenDay:
    day = find_day(day_id)
    if day.is_sample:
        raise click.ClickException("c’est une journée d’exemple : open-days remove-samples la retirerait.")
    return day


def _refuse_faults(plans: list[SlotPlan], day: OpenDay | None, *, now: datetime) -> None:
    there = [slot for slot in day.slots if slot.cancelled_at is None] if day else []
    for plan in plans:
        fault = find_fault(plan, others=[*there, *(other for other in plans if other is not plan)], now=now)
        if fault is not None:
            raise click.BadParameter(FAULTS[fault], param_hint=_HINTS[fault])


def _refuse_double(plan: DayPlan, plans: Iterable[SlotPlan]) -> None:
    if is_planned(db.session(), plan, plans):
        raise click.BadParameter("cette journée a déjà un créneau à cette heure.", param_hint="--slot")
