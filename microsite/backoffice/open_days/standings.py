"""Where somebody at the door stands: expected, here, waiting, or not for today; and finding them by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ...formatters import format_hour, format_long_moment
from ...leads.models import Submission
from ...leads.references import references_in
from ...leads.words import terms_in
from ...open_days.attendance import is_today
from ...open_days.models import SEATED, Registration, RegistrationState
from ...open_days.rosters import Attendee
from ...text import letters


class Kind(StrEnum):
    EXPECTED = "expected"
    HERE = "here"
    WAITING = "waiting"
    # Cancelled, or another day's.
    TURNED_AWAY = "turned-away"


@dataclass(frozen=True, kw_only=True)
class Standing:
    registration: Registration
    kind: Kind
    words: str
    access_needs: str = ""


def standing(
    registration: Registration, *, now: datetime, place: int | None = None, access_needs: str = ""
) -> Standing:
    kind, words = _kind_and_words(registration, now=now, place=place)
    return Standing(registration=registration, kind=kind, words=words, access_needs=access_needs)


def standings(people: Iterable[Attendee], *, now: datetime) -> list[Standing]:
    return [standing(one.registration, now=now, place=one.place, access_needs=one.access_needs) for one in people]


def matching(people: Iterable[Standing], text: str) -> list[Standing]:
    """Those in whose names or reference each word occurs, or whose reference was scanned."""
    references, rest = references_in(text)
    terms = terms_in(rest)
    if not references and not terms:
        return [] if text else list(people)
    return [one for one in people if _is_meant(one.registration.submission, references, terms)]


def _kind_and_words(registration: Registration, *, now: datetime, place: int | None) -> tuple[Kind, str]:
    state, slot = registration.state, registration.slot
    if state in SEATED and not is_today(slot, now=now):
        return Kind.TURNED_AWAY, f"Rendez-vous un autre jour : {format_long_moment(slot.starts_at)}."
    if state is RegistrationState.ATTENDED and registration.checked_in_at is not None:
        unregistered = ", sans inscription" if registration.is_walk_in else ""
        return Kind.HERE, f"Arrivée notée à {format_hour(registration.checked_in_at)}{unregistered}."
    if state in SEATED:
        offered = "Place proposée, pas encore acceptée." if state is RegistrationState.OFFERED else "Place confirmée."
        return Kind.EXPECTED, offered
    if state is RegistrationState.WAITING:
        rank = f", rang {place}" if place is not None else ""
        return Kind.WAITING, f"En liste d’attente{rank}."
    if state is RegistrationState.CANCELLED:
        return Kind.TURNED_AWAY, "Inscription annulée."
    return Kind.TURNED_AWAY, "La place proposée est passée à d’autres."


def _is_meant(submission: Submission, references: list[str], terms: list[str]) -> bool:
    searched = "|".join(map(letters, (submission.first_name, submission.last_name, submission.reference)))
    return all(reference == submission.reference for reference in references) and all(
        term in searched for term in terms
    )
