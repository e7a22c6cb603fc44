"""Who has written already: as the services would keep them, in memory for a while, since people write again."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..leads.consents import EMAIL
from ..leads.normalise import is_same_name
from ..leads.services import Person, lead_values
from .people import draw_other_name, draw_person, draw_phone

# People who may write again: a part of those who wrote lately, so that memory stays flat.
_KNOWN = 4000
_AGAIN = 0.26
_OTHER_NAME = 0.02


@dataclass(kw_only=True)
class Known:
    """`id` is the row's, once it is written."""

    values: dict[str, Any]
    id: int | None = None
    names: list[tuple[str, str]] = field(default_factory=list)
    # Slots in which they have a registration.
    slots: set[int] = field(default_factory=set)
    # When they clicked, where that is known: never is None.
    clicks: list[datetime | None] = field(default_factory=list)
    # By channel, when they will withdraw.
    stands_until: dict[str, datetime] = field(default_factory=dict)

    def hear(self, person: Person, *, at: datetime) -> None:
        """What one more submission changes (leads/services.py, _bring_up_to_date)."""
        used = [(self.values["first_name"], self.values["last_name"]), *self.names]
        if not any(_is_same(name, person) for name in used):
            self.values["needs_review"] = True
        self.names.append((person.first_name, person.last_name))
        self.values["phone"] = self.values["phone"] or person.phone
        self.values["last_contact_at"] = at

    def confirmed_at(self, click: Callable[[], datetime | None]) -> datetime | None:
        """One click, if there is one, confirms all."""
        if not self.clicks:
            self.clicks.append(click())
        return self.clicks[0]

    def forget(self, channel: str) -> None:
        """They have withdrawn."""
        del self.stands_until[channel]
        if channel == EMAIL:
            self.clicks.clear()


class People:
    """Draws who writes next: somebody new, or somebody again."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._known: list[Known] = []
        self._count = 0

    def number(self) -> int:
        self._count += 1
        return self._count

    def draw(self, *, at: datetime) -> tuple[Known, Person]:
        if self._known and self._rng.random() < _AGAIN:
            known = self._rng.choice(self._known)
            person = self._as_typed(known)
            known.hear(person, at=at)
            return known, person
        person = draw_person(self._rng, self.number())
        return self._remember(person, at=at), person

    def _as_typed(self, known: Known) -> Person:
        """Mostly as the first time; now and then without a number, or by somebody else of the family."""
        person = Person(**{name: known.values[name] for name in ("first_name", "last_name", "email", "phone")})
        if self._rng.random() < _OTHER_NAME:
            first_name, last_name = draw_other_name(self._rng, person)
            return Person(first_name=first_name, last_name=last_name, email=person.email, phone=draw_phone(self._rng))
        return person

    def _remember(self, person: Person, *, at: datetime) -> Known:
        values = lead_values(person, at=at) | {"needs_review": False, "is_sample": True}
        known = Known(values=values, names=[(person.first_name, person.last_name)])
        for channel in ("email", "phone"):
            if self._rng.random() < 0.06:
                known.stands_until[channel] = at + timedelta(days=self._rng.randrange(1, 200))
        if len(self._known) < _KNOWN:
            self._known.append(known)
        else:
            self._known[self._rng.randrange(_KNOWN)] = known
        return known


def _is_same(name: tuple[str, str], person: Person) -> bool:
    return is_same_name(name[0], person.first_name) and is_same_name(name[1], person.last_name)
