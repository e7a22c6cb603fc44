"""The open-day form: a slot, or a word when there is none that suits; companions; access needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from wtforms import StringField
from wtforms.validators import DataRequired, ValidationError

from ..db import UNAVAILABLE, db, reading
from ..leads.forms import LeadForm
from ..leads.models import FormName
from ..web.context import french_date, french_time, utc_now
from ..web.errors import log_database_failure
from ..web.fields import ChoiceField, LongTextField
from .queries import SlotSeats, upcoming_slots
from .seats import SlotClosed, SlotFull

# The answer of those who choose no slot.
TELL_ME = "prevenez-moi"
COMPANIONS_LIMIT = 3
# From this many seats on, the form says how few are left.
_FEW = 5

CLOSED = "Ce créneau n’est plus proposé. Choisissez-en un autre, ou demandez-nous de vous prévenir."
FULL = "Ce créneau est complet. Choisissez-en un autre, ou demandez-nous de vous prévenir."


@dataclass(frozen=True, kw_only=True)
class SlotOption:
    """One radio button."""

    value: str
    label: str
    detail: str
    is_full: bool = False


class OpenDayForm(LeadForm):
    form_name = FormName.OPEN_DAY

    slot = StringField("Date et horaire", [DataRequired("Choisissez une date, ou demandez-nous de vous prévenir.")])
    companions = ChoiceField("Personnes qui vous accompagnent", default="0")
    access_needs = LongTextField(
        "Besoins d’accessibilité",
        limit=1000,
        render_kw={"rows": 3},
        description="Un fauteuil, une interprétation en langue des signes… Dites-nous ce qui vous aide.",
    )

    slots: Mapping[str, SlotSeats] = MappingProxyType({})
    chosen: SlotSeats | None = None

    def __init__(self, formdata: Any = None, **kwargs: Any) -> None:
        super().__init__(formdata=formdata, **kwargs)
        self.companions.offer({str(n): str(n) for n in range(COMPANIONS_LIMIT + 1)}, empty=None)
        self.load_slots()
        if not (self.is_submitted() or self.is_unavailable) and (self.is_sold_out or not self.slots):
            self.slot.data = TELL_ME

    def load_slots(self) -> None:
        """Read without waiting in line with the writers: what decides is the registration itself."""
        now = utc_now()
        try:
            with reading():
                slots = upcoming_slots(db.session(), now=now, also=_slot_id(self.slot.data))
        except UNAVAILABLE as error:
            log_database_failure(error)
            self.is_unavailable = True
            return
        self.slots = {str(slot.slot_id): slot for slot in slots if slot.starts_at > now}
        # One that has begun is recognised all the same: the form may be sent again, its registration long made.
        self.chosen = next((slot for slot in slots if str(slot.slot_id) == self.slot.data), None)

    @property
    def options(self) -> list[SlotOption]:
        """Every upcoming slot, the full ones too, then the way to be told of other dates."""
        tell_me = SlotOption(
            value=TELL_ME,
            label="Prévenez-moi des prochaines dates",
            detail="Aucune place n’est réservée : nous vous écrirons dès qu’une date sera fixée.",
        )
        return [*(_option(slot) for slot in self.slots.values()), tell_me]

    @property
    def is_sold_out(self) -> bool:
        return bool(self.slots) and all(slot.remaining == 0 for slot in self.slots.values())

    def answers(self) -> dict[str, Any]:
        slot = self.chosen
        return {
            "slot_id": slot.slot_id if slot else None,
            "slot_starts_at": slot.starts_at.isoformat() if slot else None,
            "slot_ends_at": slot.ends_at.isoformat() if slot else None,
            "may_wait": False,
            "companions": int(self.companions.data),
            "access_needs": self.access_needs.data,
        }

    def validate_slot(self, field: StringField) -> None:
        if field.data != TELL_ME and self.chosen is None:
            raise ValidationError(CLOSED)


def _slot_id(value: str | None) -> int | None:
    # Nine digits at most: what is longer is no id, and more than PostgreSQL's integers hold.
    return int(value) if value and re.fullmatch(r"[0-9]{1,9}", value) else None


def refusal(error: SlotFull | SlotClosed, *, party: int) -> str:
    """What to tell a party of that many people who could not be seated."""
    if isinstance(error, SlotClosed):
        return CLOSED
    if error.remaining == 0:
        return FULL
    seats = "Il ne reste qu’une place" if error.remaining == 1 else f"Il ne reste que {error.remaining} places"
    return f"{seats} sur ce créneau, et vous seriez {party}. Choisissez-en un autre, ou venez moins nombreux."


def _option(slot: SlotSeats) -> SlotOption:
    return SlotOption(
        value=str(slot.slot_id),
        label=slot_label(slot.starts_at, slot.ends_at, is_sample=slot.is_sample),
        detail=f"{slot.title}, {slot.place}. {_seats(slot.remaining)}",
        is_full=slot.remaining == 0,
    )


def slot_label(starts_at: datetime, ends_at: datetime, *, is_sample: bool) -> str:
    sample = " (date d’exemple)" if is_sample else ""
    return f"{french_date(starts_at)}, de {french_time(starts_at)} à {french_time(ends_at)}{sample}"


def _seats(remaining: int) -> str:
    if remaining == 0:
        return "Complet."
    if remaining > _FEW:
        return "Places disponibles."
    return "Dernière place !" if remaining == 1 else f"Plus que {remaining} places !"
