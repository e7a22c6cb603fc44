"""flask --app wsgi open-days cancel: asks first, for it can't be taken back; tells whom it concerns, once."""

import click
from flask.cli import with_appcontext

from ..db import db, reading
from ..open_days.models import Slot
from ..open_days.planning import cancel_day, cancel_slot, lock_planning
from ..open_days.rosters import get_filling
from ..web.context import utc_now
from .open_day_words import find_day, find_slot, hours, one_of, people
from .options import Number


@click.command("cancel")
@click.option("--slot", "slot_id", type=Number(), help="Un créneau, par son numéro dans open-days list.")
@click.option("--day", "day_id", type=Number(), help="Une journée : tous ses créneaux à venir.")
@click.option("--yes", is_flag=True, help="Sans demander confirmation.")
@with_appcontext
def cancel(slot_id: int | None, day_id: int | None, yes: bool) -> None:
    """Annule un créneau ou une journée.

    Les inscrits et la file d’attente sont prévenus, une fois. Une annulation ne se reprend pas.
    """
    one_of(slot_id, day_id)
    # Asked before anything is locked: while somebody thinks, others go on.
    with reading():
        slots = _to_cancel(slot_id, day_id)
        concerned = sum(sum(get_filling(db.session(), slot).parties.values()) for slot in slots)
    if not slots:
        click.echo("Déjà annulé : rien n’a changé.")
        return
    if not yes:
        _confirm(concerned)
    lock_planning(db.session())
    cancelled = [hours(slot) for slot in _to_cancel(slot_id, day_id)]
    if day_id is not None:
        told = cancel_day(db.session(), find_day(day_id), now=utc_now())
    else:
        told = sum(cancel_slot(db.session(), slot, now=utc_now()) for slot in _to_cancel(slot_id, day_id))
    db.session.commit()
    for each in cancelled:
        click.echo(f"Annulé : {each}")
    click.echo(f"Prévenues par un message : {people(told)}.")


def _to_cancel(slot_id: int | None, day_id: int | None) -> list[Slot]:
    """None are left if all are cancelled already."""
    slots = find_day(day_id).slots if day_id is not None else [find_slot(slot_id or 0)]
    still = [slot for slot in slots if slot.cancelled_at is None]
    ahead = [slot for slot in still if slot.starts_at > utc_now()]
    if still and not ahead:
        raise click.ClickException("il est trop tard pour annuler : cela a commencé, ou c’est passé.")
    return ahead


def _confirm(concerned: int) -> None:
    question = f"Inscrites ou en attente : {people(concerned)}, qu’un message préviendra. Tapez oui pour annuler"
    if click.prompt(question, default="non", show_default=False).strip().casefold() != "oui":
        raise click.ClickException("rien n’est annulé.")
