"""Where somebody at the door stands: expected, here, waiting, or not for today; and finding them by name."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ...open_days.attendance import is_today
from ...open_days.models import SEATED, Registration, RegistrationState
from ...open_days.rosters import Attendee
from ...web.context import french_moment, french_time


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
    """Those in whose names or reference each word occurs, accents and case aside."""
    # What a scanner types is the address that the code holds.
    words = [_folded(word) for word in text.strip().rstrip("/").rpartition("/")[2].split()]
    return [one for one in people if all(word in _searched(one.registration) for word in words)]


def _kind_and_words(registration: Registration, *, now: datetime, place: int | None) -> tuple[Kind, str]:
    state, slot = registration.state, registration.slot
    if state in SEATED and not is_today(slot, now=now):
        return Kind.TURNED_AWAY, f"Rendez-vous un autre jour : {french_moment(slot.starts_at)}."
    if state is RegistrationState.ATTENDED and registration.checked_in_at is not None:
        unregistered = ", sans inscription" if registration.is_walk_in else ""
        return Kind.HERE, f"Arrivée notée à {french_time(registration.checked_in_at)}{unregistered}."
    if state in SEATED:
        offered = "Place proposée, pas encore acceptée." if state is RegistrationState.OFFERED else "Place confirmée."
        return Kind.EXPECTED, offered
    if state is RegistrationState.WAITING:
        rank = f", rang {place}" if place is not None else ""
        return Kind.WAITING, f"En liste d’attente{rank}."
    if state is RegistrationState.CANCELLED:
        return Kind.TURNED_AWAY, "Inscription annulée."
    return Kind.TURNED_AWAY, "La place proposée est passée à d’autres."


def _searched(registration: Registration) -> str:
    submission = registration.submission
    return _folded(f"{submission.first_name}|{submission.last_name}|{submission.reference}")


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if char.isalnum() or char == "|")
