"""Who is in a slot, as a CSV for French Excel."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..open_days.models import RegistrationState
from ..open_days.rosters import Attendee
from .dialects import ExcelFr

STATES = {
    RegistrationState.CONFIRMED: "inscription confirmée",
    RegistrationState.OFFERED: "place proposée",
    RegistrationState.WAITING: "en attente",
    RegistrationState.ATTENDED: "présence notée",
}
_EXCEL = ExcelFr()


@dataclass(frozen=True, kw_only=True)
class _Column:
    heading: str
    cell: Callable[[Attendee], str]
    is_typed: bool = False


_COLUMNS = (
    _Column(heading="Référence", cell=lambda one: one.registration.submission.reference, is_typed=True),
    _Column(heading="Nom", cell=lambda one: one.registration.submission.last_name, is_typed=True),
    _Column(heading="Prénom", cell=lambda one: one.registration.submission.first_name, is_typed=True),
    _Column(heading="Accompagnants", cell=lambda one: str(one.registration.companions)),
    _Column(heading="État", cell=lambda one: STATES[one.registration.state]),
    _Column(heading="Rang dans la file", cell=lambda one: str(one.place or "")),
    _Column(heading="Place proposée jusqu’au", cell=lambda one: _EXCEL.time(one.registration.offered_until)),
    _Column(heading="Arrivée", cell=lambda one: _EXCEL.time(one.registration.checked_in_at)),
    _Column(heading="Sans inscription", cell=lambda one: _EXCEL.yes_no(yes=one.registration.is_walk_in)),
    _Column(heading="Besoins d’accessibilité", cell=lambda one: one.access_needs, is_typed=True),
    _Column(heading="E-mail", cell=lambda one: one.registration.submission.email, is_typed=True),
    _Column(heading="Téléphone", cell=lambda one: _EXCEL.phone(one.registration.submission.phone)),
)


def attendees_csv(people: Iterable[Attendee]) -> bytes:
    text, everybody = io.StringIO(newline=""), list(people)
    writer = csv.writer(text, delimiter=_EXCEL.delimiter, lineterminator="\r\n")
    writer.writerow([column.heading for column in _COLUMNS])
    # People name themselves: anybody's name may be a formula, or look like a date.
    cells = [_written(column, everybody) for column in _COLUMNS]
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue().encode(_EXCEL.encoding)


def _written(column: _Column, people: Sequence[Attendee]) -> Sequence[str]:
    texts = [column.cell(one) for one in people]
    return _EXCEL.typed(texts) if column.is_typed else texts
