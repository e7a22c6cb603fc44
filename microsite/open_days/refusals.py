"""What visitors are told whose party could not be seated, and what they can do instead."""

from datetime import datetime

from ..formatters import format_long_moment
from .queries import SlotSeats
from .seats import SlotClosed, SlotFull

CLOSED = "Ce créneau n’est plus proposé. Choisissez-en un autre, ou demandez-nous de vous prévenir."
FULL = (
    "Ce créneau s’est rempli entre-temps. Renvoyez le formulaire pour vous inscrire sur sa liste d’attente, "
    "ou choisissez-en un autre."
)
_FEWER = "Venez moins nombreux, ou choisissez un autre créneau."


def refusal(error: SlotFull | SlotClosed, slot: SlotSeats | None, *, party: int, now: datetime) -> str:
    """To a party of that many people; the slot that they chose is given as it stands now."""
    if isinstance(error, SlotClosed) or slot is None or slot.capacity == 0:
        return _closed(slot, now)
    total = f"il n’a {_no_more_than(slot.capacity)} en tout"
    if error.remaining == 0 and party > slot.capacity:
        return f"Ce créneau est complet, et vous attendriez en vain : {total}. {_FEWER}"
    if error.remaining == 0:
        return FULL
    left = f"Il ne reste {_no_more_than(error.remaining)} sur ce créneau, et vous seriez {party}."
    if party > slot.capacity:
        return f"{left} La liste d’attente n’y changerait rien : {total}. {_FEWER}"
    return f"{left} Venez moins nombreux, choisissez sa liste d’attente, ou un autre créneau."


def _closed(slot: SlotSeats | None, now: datetime) -> str:
    opening = slot.opens_later(now) if slot is not None and not slot.has_closed(now) else None
    if opening is None:
        return CLOSED
    opens = format_long_moment(opening)
    return f"Les inscriptions à ce créneau ouvrent le {opens}. Revenez alors, ou prenez-en un autre."


def _no_more_than(seats: int) -> str:
    return "qu’une place" if seats == 1 else f"que {seats} places"
