"""flask --app wsgi open-days …: plan open days, see how they fill."""

from datetime import date, time
from itertools import pairwise

import click

from ..db import db, reading
from ..open_days.planning import DayPlan, SlotPlan, plan_open_day
from ..open_days.queries import SlotSeats, all_slots, has_slot, upcoming_slots, waiting_alerts
from ..open_days.samples import remove_samples
from ..school import PARIS
from ..web.context import utc_now
from .group import DatabaseGroup
from .options import Day, Hours, Line, paris_time

open_days = DatabaseGroup("open-days", help="Les journées portes ouvertes : en ajouter, voir où elles en sont.")


@open_days.command("add")
@click.option(
    "--title", type=Line(limit=120), default="Journée portes ouvertes", show_default=True, help="Le nom de la journée."
)
@click.option("--place", type=Line(limit=200), required=True, help="Où venir, tel que les visiteurs le lisent.")
@click.option("--date", "day", type=Day(), required=True, help="Le jour.")
@click.option(
    "--slot",
    "slots",
    type=Hours(),
    multiple=True,
    required=True,
    help="Un créneau ; à répéter pour plusieurs.",
)
@click.option("--capacity", type=click.IntRange(1, 10_000), required=True, help="Les places de chaque créneau.")
def add(title: str, place: str, day: date, slots: tuple[tuple[time, time], ...], capacity: int) -> None:
    """Ajoute une journée et ses créneaux (heure de Paris)."""
    now = utc_now()
    plans = [
        SlotPlan(starts_at=paris_time(day, start), ends_at=paris_time(day, end), capacity=capacity)
        for start, end in slots
    ]
    if any(plan.starts_at <= now for plan in plans):
        raise click.BadParameter("un créneau doit commencer dans l’avenir.", param_hint="--date")
    begun = sorted(plans, key=lambda plan: plan.starts_at)
    if any(before.ends_at > after.starts_at for before, after in pairwise(begun)):
        raise click.BadParameter("deux créneaux se chevauchent.", param_hint="--slot")
    if any(has_slot(db.session(), title=title, place=place, starts_at=plan.starts_at) for plan in plans):
        raise click.BadParameter("cette journée a déjà un créneau à cette heure.", param_hint="--slot")
    plan_open_day(db.session(), DayPlan(title=title, place=place), plans, now=now)
    db.session.commit()
    click.echo(f"Ajouté : {title}, le {day:%d/%m/%Y}, créneaux : {len(plans)}, places par créneau : {capacity}.")


@open_days.command("list")
@click.option("--all", "with_past", is_flag=True, help="Avec les créneaux passés.")
def list_slots(with_past: bool) -> None:
    """Montre les créneaux et leurs places, et combien de personnes attendent une date."""
    with reading():
        slots = all_slots(db.session()) if with_past else upcoming_slots(db.session(), now=utc_now())
        alerts = waiting_alerts(db.session())
    for slot in slots:
        click.echo(_line(slot))
    if not slots:
        click.echo("Aucun créneau prévu.")
    click.echo(f"À prévenir d’une nouvelle date : {alerts}")


@open_days.command("remove-samples")
def remove_samples_command() -> None:
    """Retire les journées d’exemple ; qui s’y était inscrit sera prévenu de la prochaine date."""
    days, people = remove_samples(db.session(), now=utc_now())
    db.session.commit()
    click.echo(f"Journées d’exemple retirées : {days}. Inscriptions devenues « à prévenir » : {people}.")


def _line(slot: SlotSeats) -> str:
    start, end = slot.starts_at.astimezone(PARIS), slot.ends_at.astimezone(PARIS)
    sample = " [exemple]" if slot.is_sample else ""
    seats = f"{slot.taken:>4} / {slot.capacity} places prises"
    return f"{slot.slot_id:>4}  {start:%d/%m/%Y %H:%M}-{end:%H:%M}  {seats}  {slot.title}, {slot.place}{sample}"
