"""flask --app wsgi open-days list: days, their slots, how they fill."""

from collections.abc import Iterable

import click
from flask.cli import with_appcontext

from ..db import db, reading
from ..open_days.models import RegistrationState
from ..open_days.queries import waiting_alerts
from ..open_days.rosters import SlotFilling, list_fillings
from ..web.context import utc_now
from .open_day_words import hours, places, window


@click.command("list")
@click.option("--all", "with_past", is_flag=True, help="Avec les créneaux passés.")
@with_appcontext
def list_slots(with_past: bool) -> None:
    """Montre les journées et leurs places.

    Devant chacune et chacun de ses créneaux : le numéro que prennent les autres commandes. À la fin, combien de
    personnes ont demandé à être prévenues d’une date.
    """
    with reading():
        fillings = list_fillings(db.session(), after=None if with_past else utc_now())
        lines = list(_describe(fillings))
        alerts = waiting_alerts(db.session())
    for line in lines or ["Aucun créneau prévu."]:
        click.echo(line)
    click.echo(f"À prévenir d’une nouvelle date : {alerts}")


def _describe(fillings: list[SlotFilling]) -> Iterable[str]:
    """Day by day, in the order of their first slots."""
    for day in dict.fromkeys(filling.slot.open_day for filling in fillings):
        sample = " [exemple]" if day.is_sample else ""
        online = f"  {day.online_url}" if day.is_online else ""
        yield f"Journée {day.id} : {day.title}, {day.place}{online}{sample}"
        for filling in fillings:
            if filling.slot.open_day is day:
                yield _line(filling)


def _line(filling: SlotFilling) -> str:
    slot = filling.slot
    offered = filling.seats.get(RegistrationState.OFFERED, 0)
    waiting, parties = (each.get(RegistrationState.WAITING, 0) for each in (filling.seats, filling.parties))
    came = filling.seats.get(RegistrationState.ATTENDED, 0)
    notes = (
        f"dont {offered} proposée{'s' if offered > 1 else ''}" if offered else "",
        f"en attente : {parties} ({places(waiting)})" if waiting else "",
        f"venus : {came}" if came else "",
        f"inscriptions {window(slot)}" if window(slot) else "",
        "ANNULÉ" if slot.cancelled_at else "",
    )
    seats = f"{filling.taken:>4} / {slot.capacity} places prises"
    return f"{slot.id:>4}  {hours(slot)}  {', '.join([seats, *filter(None, notes)])}"
