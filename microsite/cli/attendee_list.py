"""Who is expected in a slot: a list to read at the door, or a CSV for a spreadsheet."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ..exports.attendees import STATES, attendees_csv
from ..exports.services import file_when_complete
from ..open_days.models import RegistrationState
from ..open_days.rosters import Attendee, SlotFilling
from .open_day_words import hours, moment


def summary(filling: SlotFilling) -> Iterator[str]:
    slot = filling.slot
    cancelled = "  ANNULÉ" if slot.cancelled_at else ""
    yield f"{slot.open_day.title}, {slot.open_day.place}, {hours(slot)}{cancelled}"
    came, waiting = (filling.parties.get(state, 0) for state in (RegistrationState.ATTENDED, RegistrationState.WAITING))
    yield f"Places prises : {filling.taken} / {slot.capacity}. Inscriptions en attente : {waiting}. Venues : {came}."


def table(people: list[Attendee]) -> Iterator[str]:
    """One line each, and one more for what somebody needs."""
    if not people:
        yield "Personne n’est inscrit."
    names = [f"{one.registration.submission.last_name} {one.registration.submission.first_name}" for one in people]
    width = max(map(len, names), default=0)
    for one, name in zip(people, names, strict=True):
        party = f"+{one.registration.companions}" if one.registration.companions else ""
        yield f"  {one.registration.submission.reference}  {name:<{width}}  {party:>2}  {_where(one)}"
        if one.access_needs:
            yield f"      besoins : {' / '.join(one.access_needs.splitlines())}"


def write_file(output: Path, people: list[Attendee]) -> None:
    content = attendees_csv(people)
    if output == Path("-"):
        sys.stdout.buffer.write(content)
        return
    if output.exists() and not output.is_file():
        raise click.ClickException(f"{output} n’est pas un fichier ordinaire : choisissez un autre nom.")
    try:
        with file_when_complete(output) as stream:
            stream.write(content)
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire {output} : {error.strerror}.") from None
    click.echo(f"Inscriptions écrites : {len(people)}, dans {output}", err=True)


def _where(one: Attendee) -> str:
    registration = one.registration
    state = STATES[registration.state]
    if one.place is not None:
        return f"{state}, rang {one.place}"
    if registration.checked_in_at is not None:
        come = "sans inscription, " if registration.is_walk_in else ""
        return f"{state} ({come}{moment(registration.checked_in_at)})"
    if registration.offered_until is not None:
        return f"{state} jusqu’au {moment(registration.offered_until)}"
    return state
