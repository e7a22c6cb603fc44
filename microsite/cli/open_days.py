"""flask --app wsgi open-days …: plan open days, see how they fill."""

from datetime import date, time

import click
from flask.cli import AppGroup

from ..db import db, reading
from ..open_days.queries import SlotSeats, all_slots, upcoming_slots, waiting_alerts
from ..open_days.services import SlotPlan, plan_open_day
from ..school import PARIS
from ..web.context import utc_now
from .options import Day, Hours, paris_time

open_days = AppGroup("open-days", help="Les journées portes ouvertes : en ajouter, voir où elles en sont.")


@open_days.command("add")
@click.option("--title", default="Journée portes ouvertes", show_default=True, help="Le nom de la journée.")
@click.option("--place", required=True, help="Où venir, tel que les visiteurs le lisent.")
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
    plan_open_day(db.session(), title=title, place=place, slots=plans, now=now)
    db.session.commit()
    click.echo(f"Ajouté : {title}, le {day:%d/%m/%Y}, {len(plans)} créneau(x) de {capacity} places.")


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


def _line(slot: SlotSeats) -> str:
    start, end = slot.starts_at.astimezone(PARIS), slot.ends_at.astimezone(PARIS)
    sample = " [exemple]" if slot.is_sample else ""
    seats = f"{slot.taken:>4} / {slot.capacity} places prises"
    return f"{slot.slot_id:>4}  {start:%d/%m/%Y %H:%M}-{end:%H:%M}  {seats}  {slot.title}, {slot.place}{sample}"
