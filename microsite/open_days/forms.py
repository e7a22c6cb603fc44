"""The open-day form: a slot, or a word when there is none that suits; companions; access needs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from wtforms import StringField
from wtforms.validators import DataRequired, ValidationError

from ..db import UNAVAILABLE, db, reading
from ..formatters import format_hour, format_long_day
from ..leads.forms import LeadForm
from ..leads.models import FormName
from ..web.context import utc_now
from ..web.errors import log_database_failure
from ..web.fields import ChoiceField, LongTextField, refuse
from .notes import DayNote, day_notes
from .options import WAITING, SlotOption, Wish, slot_options
from .queries import SlotSeats, upcoming_slots
from .refusals import CLOSED, refusal
from .seats import SlotClosed, SlotFull

# The answer of those who choose no slot.
TELL_ME = "prevenez-moi"
COMPANIONS_LIMIT = 3
# How many come, by the number of companions that is answered.
_PARTIES = {str(number): 1 + number for number in range(COMPANIONS_LIMIT + 1)}
# Nine digits at most: what is longer is no id, and more than PostgreSQL's integers hold.
_ANSWER = re.compile(rf"([0-9]{{1,9}})({WAITING})?")


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

    # Every slot that will take place, and those of them that are shown: where one can register, now or later.
    upcoming: Sequence[SlotSeats] = ()
    slots: Sequence[SlotSeats] = ()
    chosen: SlotSeats | None = None

    def __init__(self, formdata: Any = None, **kwargs: Any) -> None:
        super().__init__(formdata=formdata, **kwargs)
        self.companions.offer({number: number for number in _PARTIES}, empty=None)
        self.load_slots()

    def load_slots(self) -> None:
        """Read without waiting in line with the writers: what decides is the registration itself."""
        self.read_at = now = utc_now()
        answer = _ANSWER.fullmatch(self.slot.data or "")
        slot_id = int(answer[1]) if answer else None
        try:
            with reading():
                slots = upcoming_slots(db.session(), now=now, also=slot_id)
        except UNAVAILABLE as error:
            log_database_failure(error)
            self.is_unavailable = True
            return
        self.upcoming = [slot for slot in slots if slot.starts_at > now and not slot.is_cancelled]
        # One without any seat, even for those who would wait, is closed too.
        self.slots = [slot for slot in self.upcoming if slot.capacity and not slot.has_closed(now)]
        # One that has begun is recognised all the same: the form may be sent again, its registration long made.
        self.chosen = next((slot for slot in slots if slot.slot_id == slot_id), None)

    def turn_down(self, error: SlotFull | SlotClosed) -> None:
        """Say why there are no seats, and show the slots as they stand now."""
        self.load_slots()
        if isinstance(error, SlotFull) and self.chosen is not None:
            # What is told is what is shown, even if a seat came free in between.
            told = replace(self.chosen, taken=self.chosen.capacity - error.remaining)
            self.slots = [told if slot is self.chosen else slot for slot in self.slots]
        refuse(self.slot, refusal(error, self.chosen, party=self.party, now=self.read_at))

    @property
    def options(self) -> list[SlotOption]:
        """Every slot with its seats or its waiting list, then the way to be told of other dates."""
        tell_me = SlotOption(
            value=TELL_ME,
            label="Prévenez-moi des prochaines dates",
            detail="Aucune place n’est réservée : nous vous écrirons dès qu’une date sera fixée.",
            is_chosen=self.slot.data == TELL_ME or not self.open_slots,
        )
        return [*(option for slot in self.slots for option in self._options_of(slot)), tell_me]

    @property
    def open_slots(self) -> list[SlotSeats]:
        """Those where one can register or wait now."""
        return [slot for slot in self.slots if slot.opens_later(self.read_at) is None]

    @property
    def notes(self) -> list[DayNote]:
        return day_notes(self.slots)

    @property
    def is_sold_out(self) -> bool:
        """Whether all that is left is to wait."""
        return bool(self.open_slots) and all(slot.remaining == 0 for slot in self.open_slots)

    @property
    def button(self) -> str:
        if self.is_unavailable:
            return "M’inscrire"
        if not self.open_slots:
            return "Prévenez-moi"
        return "Envoyer ma demande" if self.is_sold_out else "M’inscrire"

    @property
    def party(self) -> int:
        """How many would come, as far as that can be read."""
        return _PARTIES.get(self.companions.data, 1)

    def answers(self) -> dict[str, Any]:
        slot = self.chosen
        return {
            "slot_id": slot.slot_id if slot else None,
            "slot_starts_at": slot.starts_at.isoformat() if slot else None,
            "slot_ends_at": slot.ends_at.isoformat() if slot else None,
            "may_wait": slot is not None and self._may_wait,
            "companions": int(self.companions.data),
            "access_needs": self.access_needs.data,
        }

    def validate_slot(self, field: StringField) -> None:
        if field.data != TELL_ME and self.chosen is None:
            raise ValidationError(CLOSED)

    @property
    def _may_wait(self) -> bool:
        return str(self.slot.data).endswith(WAITING)

    def _options_of(self, slot: SlotSeats) -> Iterator[SlotOption]:
        is_chosen = self.chosen is not None and self.chosen.slot_id == slot.slot_id
        return slot_options(
            slot,
            label=slot_label(slot.starts_at, slot.ends_at, is_sample=slot.is_sample),
            wish=Wish(party=self.party, may_wait=self._may_wait) if is_chosen else None,
            now=self.read_at,
        )


def slot_label(starts_at: datetime, ends_at: datetime, *, is_sample: bool) -> str:
    sample = " (date d’exemple)" if is_sample else ""
    return f"{format_long_day(starts_at)}, de {format_hour(starts_at)} à {format_hour(ends_at)}{sample}"
