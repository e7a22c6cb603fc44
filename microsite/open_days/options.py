"""The radio buttons of the open-day form: a slot's seats, its waiting list, or when it opens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ..formatters import format_long_moment
from .queries import SlotSeats

# Behind a slot's id: its waiting list.
WAITING = "-attente"
_FULL = "Complet : inscrivez-vous sur la liste d’attente."
# From this many seats on, the form says how few are left.
_FEW = 5


@dataclass(frozen=True, kw_only=True)
class SlotOption:
    """One radio button; what can't be chosen yet is shown all the same."""

    value: str
    label: str
    detail: str
    # What must not be overlooked, in front of the detail.
    notice: str = ""
    is_chosen: bool = False
    is_open: bool = True


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was answered for one slot."""

    party: int
    may_wait: bool


def slot_options(slot: SlotSeats, *, label: str, wish: Wish | None, now: datetime) -> Iterator[SlotOption]:
    """One button; two for who chose it with more people than are seats left. None for `wish` if it isn't chosen."""
    value, where = str(slot.slot_id), f"{slot.title}, {slot.place}."
    opening = slot.opens_later(now)
    if opening is not None:
        detail = f"{where} Inscriptions à partir du {format_long_moment(opening)}."
        yield SlotOption(value=value, label=label, detail=detail, is_open=False)
        return
    if slot.remaining == 0:
        yield SlotOption(value=f"{value}{WAITING}", label=label, detail=where, notice=_FULL, is_chosen=wish is not None)
        return
    # A party larger than the slot would wait for ever.
    would_wait = wish if wish is not None and slot.remaining < wish.party <= slot.capacity else None
    waits = would_wait is not None and would_wait.may_wait
    detail = f"{where} {_seats(slot.remaining)}"
    yield SlotOption(value=value, label=label, detail=detail, is_chosen=wish is not None and not waits)
    if would_wait is not None:
        yield SlotOption(
            value=f"{value}{WAITING}",
            label=f"Liste d’attente : {label}",
            detail=f"Pour venir à {would_wait.party} : nous vous proposons des places dès qu’il s’en libère assez.",
            is_chosen=waits,
        )


def _seats(remaining: int) -> str:
    if remaining > _FEW:
        return "Places disponibles."
    return "Dernière place !" if remaining == 1 else f"Plus que {remaining} places !"
