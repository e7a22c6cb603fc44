"""What the days say of themselves beside their slots: what awaits, and how to get there."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..formatters import format_long_day
from .queries import SlotSeats

_TOPICS = {(True, True): "programme et accès", (True, False): "programme", (False, True): "accès"}


@dataclass(frozen=True, kw_only=True)
class DayNote:
    """Words that are the same for the days named in `label`."""

    label: str
    description: str
    access: str


def day_notes(slots: Sequence[SlotSeats]) -> list[DayNote]:
    """Each text once, however many days and slots share it; nothing for days that say nothing."""
    sharing: dict[tuple[str, str], list[SlotSeats]] = {}
    for slot in slots:
        sharing.setdefault((slot.description, slot.access), []).append(slot)
    return [
        DayNote(
            label=_label(_TOPICS[bool(description), bool(access)], same, is_only=len(sharing) == 1),
            description=description,
            access=access,
        )
        for (description, access), same in sharing.items()
        if description or access
    ]


def _label(topic: str, slots: list[SlotSeats], *, is_only: bool) -> str:
    if is_only:
        return topic.capitalize()
    # A dict keeps the order, and each day once.
    days = ", ".join(dict.fromkeys(format_long_day(slot.starts_at) for slot in slots))
    return f"{topic.capitalize()}, {days}"
