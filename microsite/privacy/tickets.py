"""Registrations as their owner reads them: a ticket each, with what can still be done."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from sqlalchemy.orm import Session

from ..formatters import format_hour, format_long_day
from ..open_days.codes import check_in_svg
from ..open_days.forms import slot_label
from ..open_days.models import OVER, SEATED, Registration, RegistrationState
from .queries import latest_registrations

_LEAVE = {
    RegistrationState.CONFIRMED: "Annuler mon inscription",
    RegistrationState.WAITING: "Quitter la liste d’attente",
    RegistrationState.OFFERED: "Décliner l’offre",
}


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """`leave` names the button that ends it; None, as for `code` and `online_url`, where there is none to show."""

    reference: str
    slot_id: int
    slot: str
    title: str
    place: str
    access: str
    state: str
    note: str
    companions: int
    is_lit: bool
    is_offered: bool
    is_changeable: bool
    has_calendar: bool
    leave: str | None
    online_url: str | None
    code: Markup | None


def tickets_of(session: Session, lead_id: int, *, now: datetime) -> list[Ticket]:
    """What comes first, what is over last."""
    registrations = latest_registrations(session, lead_id)
    ahead = [row for row in registrations if row.slot.ends_at > now]
    past = [row for row in reversed(registrations) if row.slot.ends_at <= now]
    return [_ticket(row, now=now) for row in [*ahead, *past]]


def is_lapsed(registration: Registration, now: datetime) -> bool:
    """Whether its offer has ended, though the worker may not have noted it yet."""
    if registration.state is RegistrationState.OFFERED and registration.offered_until is not None:
        return registration.offered_until <= now
    return registration.state is RegistrationState.EXPIRED


def _ticket(registration: Registration, *, now: datetime) -> Ticket:
    slot = registration.slot
    state = RegistrationState.EXPIRED if is_lapsed(registration, now) else registration.state
    day = slot.open_day
    is_ahead = slot.starts_at > now and slot.cancelled_at is None
    has_seat = state in (RegistrationState.CONFIRMED, RegistrationState.ATTENDED) and slot.ends_at > now
    is_confirmed = has_seat and state is RegistrationState.CONFIRMED
    words, note = _words(registration, state, now=now)
    return Ticket(
        reference=registration.submission.reference,
        slot_id=slot.id,
        slot=slot_label(slot.starts_at, slot.ends_at, is_sample=day.is_sample),
        title=day.title,
        place=day.where,
        access=day.access if state not in OVER else "",
        state=words,
        note=note,
        companions=registration.companions,
        is_lit=state in SEATED and slot.ends_at > now,
        is_offered=is_ahead and state is RegistrationState.OFFERED,
        is_changeable=is_ahead and state in _LEAVE,
        has_calendar=is_confirmed,
        leave=_LEAVE.get(state) if is_ahead else None,
        online_url=registration.online_url or None if has_seat else None,
        code=check_in_svg(registration.submission.reference) if is_confirmed and not day.is_online else None,
    )


def _words(registration: Registration, state: RegistrationState, *, now: datetime) -> tuple[str, str]:
    """Its state, and what to know about it."""
    slot = registration.slot
    if slot.cancelled_at is not None:
        return "Annulée par l’école", "Ce créneau n’aura pas lieu. Voyez les autres dates."
    if state is RegistrationState.ATTENDED:
        return "Votre venue est notée", ""
    if state is RegistrationState.CANCELLED:
        return "Inscription annulée", "Vous avez changé d’avis ? Inscrivez-vous de nouveau."
    if slot.ends_at <= now:
        return "C’est passé", ""
    if state is RegistrationState.EXPIRED:
        return "L’offre est terminée", "Faute de réponse à temps, elle est passée à la personne suivante."
    return _words_ahead(registration, state)


def _words_ahead(registration: Registration, state: RegistrationState) -> tuple[str, str]:
    seats = registration.seats
    if state is RegistrationState.WAITING:
        freed, them = ("une place se libère", "la") if seats == 1 else (f"{seats} places se libèrent", "les")
        return "Sur la liste d’attente", f"Dès que {freed}, un e-mail vous {them} propose."
    if state is RegistrationState.OFFERED and registration.offered_until is not None:
        until = f"{format_long_day(registration.offered_until)} à {format_hour(registration.offered_until)}"
        offered = "Une place vous attend" if seats == 1 else f"{seats} places vous attendent"
        return offered, f"À prendre avant le {until} ; ensuite, l’offre passe à la personne suivante."
    return ("Votre place est réservée" if seats == 1 else f"Vos {seats} places sont réservées"), ""
