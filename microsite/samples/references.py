"""References that look drawn and never come twice: the whole range, walked through in a shuffled order."""

import random
from collections.abc import Collection

from ..leads.models import FormName
from ..leads.references import ALPHABET, PREFIXES

_LENGTH = 6
_RANGE = len(ALPHABET) ** _LENGTH
# Shares no factor with the range (30⁶), so that its multiples meet each number once.
_STRIDE = 338_195_651


class References:
    def __init__(self, rng: random.Random, *, taken: Collection[str]) -> None:
        """`taken` are those of people who exist."""
        self._next = rng.randrange(_RANGE)
        self._taken = taken

    def draw(self, form: FormName) -> str:
        while (reference := self._draw(form)) in self._taken:
            pass
        return reference

    def _draw(self, form: FormName) -> str:
        number, signs = self._next, ""
        self._next = (self._next + _STRIDE) % _RANGE
        for _ in range(_LENGTH):
            number, place = divmod(number, len(ALPHABET))
            signs += ALPHABET[place]
        return f"{PREFIXES[form]}-{signs}"
