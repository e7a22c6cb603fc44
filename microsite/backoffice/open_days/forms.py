"""Planning by hand: what a day says of itself, one slot to change, several to add. The import's own checks."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from wtforms import Field
from wtforms.validators import DataRequired

from ...open_days.checks import Fault, Span, find_fault
from ...open_days.models import ONLINE, PLACE_LIMIT, TEXT_LIMIT, TITLE_LIMIT, URL_LIMIT, OpenDay, Slot
from ...open_days.plan_words import CAPACITY_LEAST, CAPACITY_MOST, FAULTS, until_it_begins
from ...open_days.planning import DayPlan, SlotPlan
from ...school import SkippedHour, paris_time
from ...web.fields import LongTextField, TextField, refuse
from ..editing import EditForm
from ..fields import DayField, MomentField, NumberField, SecureUrlField, TimeField, as_day, as_moment, as_time, sentence
from ..forms import StaffForm, entered

# How many slots can be added at once.
ROWS = range(1, 7)


class DayWords(StaffForm):
    """What a day says of itself."""

    title = TextField("Nom", [DataRequired("Donnez un nom à cette journée.")], limit=TITLE_LIMIT)
    place = TextField("Lieu", limit=PLACE_LIMIT, description="L’adresse, telle que les visiteurs la lisent.")
    online_url = SecureUrlField(
        "Adresse en ligne",
        limit=URL_LIMIT,
        description="Pour une journée en ligne. Seules les personnes inscrites la reçoivent.",
        render_kw={"type": "url", "inputmode": "url"},
    )
    access = LongTextField("Comment venir", limit=TEXT_LIMIT, render_kw={"rows": 3})
    description = LongTextField("Ce qui attend les visiteurs", limit=TEXT_LIMIT, render_kw={"rows": 3})

    def day_plan(self) -> DayPlan | None:
        """None once a field has been told what is missing."""
        is_online = bool(self.online_url.data)
        place = entered(self.place) or (ONLINE if is_online else "")
        if not place or (place == ONLINE and not is_online):
            refuse(self.place, "Dites où elle aura lieu, ou donnez une adresse en ligne.")
            return None
        words = {name: entered(self[name]) for name in ("title", "access", "description", "online_url")}
        return DayPlan(place=place, **words)


class SlotWindow(StaffForm):
    """When, how many, and from when to when one can register."""

    on = DayField("Jour", [DataRequired("Choisissez le jour.")])
    capacity = NumberField("Places", [DataRequired("Saisissez le nombre de places.")], least=0, most=CAPACITY_MOST)
    opens = MomentField("Ouverture des inscriptions", description="Sinon, elles sont ouvertes tout de suite.")
    closes = MomentField("Clôture des inscriptions", description="Sinon, elles ferment au début du créneau.")

    def slot_plan(self, start: TimeField, end: TimeField) -> SlotPlan | None:
        """None once a field has been told why."""
        if self.on.day is None or start.at is None or end.at is None or self.capacity.number is None:
            return None
        if end.at <= start.at:
            refuse(end, "La fin doit venir après le début.")
            return None
        try:
            starts_at, ends_at = paris_time(self.on.day, start.at), paris_time(self.on.day, end.at)
        except SkippedHour as error:
            refuse(start, sentence(f"{error}."))
            return None
        return SlotPlan(
            starts_at=starts_at,
            ends_at=ends_at,
            capacity=self.capacity.number,
            opens_at=self.opens.moment,
            closes_at=until_it_begins(self.closes.moment, starts_at),
        )

    def is_possible(self, plan: SlotPlan, start: TimeField, *, others: Iterable[Span], now: datetime) -> bool:
        """False once the field that it is about has been told why not."""
        fault = find_fault(plan, others=others, now=now)
        if fault is None:
            return True
        beside: dict[Fault, Field] = {
            Fault.PAST: self.on,
            Fault.OVERLAP: start,
            Fault.OPENS_TOO_LATE: self.opens,
            Fault.CLOSES_BEFORE_IT_OPENS: self.opens,
            Fault.CLOSES_TOO_LATE: self.closes,
        }
        why = sentence(FAULTS[fault])
        if why not in beside[fault].errors:
            refuse(beside[fault], why)
        return False


class DayForm(DayWords, EditForm):
    """An existing day."""

    def __init__(self, day: OpenDay) -> None:
        plan = DayPlan.of(day)
        super().__init__({name: getattr(plan, name) for name in DayPlan.__dataclass_fields__})


class SlotForm(SlotWindow, EditForm):
    """An existing slot."""

    start = TimeField("Début", [DataRequired("Saisissez l’heure de début.")])
    end = TimeField("Fin", [DataRequired("Saisissez l’heure de fin.")])

    def __init__(self, slot: Slot) -> None:
        starts_at, ends_at = slot.starts_at, slot.ends_at
        times = {"on": as_day(starts_at), "start": as_time(starts_at), "end": as_time(ends_at)}
        window = {"opens": as_moment(slot.opens_at), "closes": as_moment(slot.closes_at)}
        super().__init__(times | {"capacity": str(slot.capacity)} | window)

    def plan(self, *, others: Iterable[Span], now: datetime) -> SlotPlan | None:
        """None once a field has been told why."""
        plan = self.slot_plan(self.start, self.end)
        return plan if plan and self.is_possible(plan, self.start, others=others, now=now) else None


class SlotsForm(SlotWindow):
    """Several slots of one day, each in a row of its own; rows left empty are none."""

    capacity = NumberField(
        "Places de chaque créneau",
        [DataRequired("Saisissez le nombre de places.")],
        least=CAPACITY_LEAST,
        most=CAPACITY_MOST,
    )

    @property
    def rows(self) -> list[tuple[TimeField, TimeField]]:
        return [(self[f"start_{number}"], self[f"end_{number}"]) for number in ROWS]

    def plans(self, *, others: Iterable[Span], now: datetime) -> list[SlotPlan]:
        """Empty once a field has been told why."""
        told = [(start, self.slot_plan(start, end)) for start, end in self._filled()]
        plans = [plan for _, plan in told if plan is not None]
        there = list(others)
        possible = [
            self.is_possible(plan, start, others=[*there, *(one for one in plans if one is not plan)], now=now)
            for start, plan in told
            if plan is not None
        ]
        return plans if plans and all(possible) and len(plans) == len(told) and not any(self.errors.values()) else []

    def _filled(self) -> Iterator[tuple[TimeField, TimeField]]:
        filled = [row for row in self.rows if any(field.data for field in row)]
        if not filled:
            refuse(self.rows[0][0], "Donnez au moins un créneau.")
        for start, end in filled:
            if start.data and end.data:
                yield start, end
            else:
                refuse(end if start.data else start, "Donnez le début et la fin de ce créneau.")


for _number in ROWS:
    setattr(SlotsForm, f"start_{_number}", TimeField(f"Créneau {_number}, début"))
    setattr(SlotsForm, f"end_{_number}", TimeField(f"Créneau {_number}, fin"))


class NewDayForm(DayWords, SlotsForm):
    """A day with its first slots."""
