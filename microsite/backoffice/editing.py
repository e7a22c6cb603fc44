"""Two people editing one thing: the second is told, and nothing of the first's is overwritten unseen.

A form carries, beside its fields, what each of them held when the page was rendered. What has changed since comes back
with a 409: a field left alone takes the new value, one that was typed in keeps what was typed, and the page says both.
Sent again, it has been seen.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Response, make_response, request

from .forms import StaffForm

_SEEN = "vu-"


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A field that somebody else has changed: what it holds now, and what was typed here."""

    label: str
    now: str
    typed: str


class EditForm(StaffForm):
    """Filled in with `current`, texts by the names of their fields, read under the lock that the change holds."""

    def __init__(self, current: Mapping[str, str]) -> None:
        super().__init__(data=dict(current))
        self.current = dict(current)

    @property
    def seen(self) -> dict[str, str]:
        """Hidden fields of the page."""
        return {f"{_SEEN}{name}": text for name, text in self.current.items()}

    def take_clashes(self) -> list[Clash]:
        """What somebody else changed while this form was open; the fields hold, from here on, what is to be shown."""
        clashes = []
        for name, now in self.current.items():
            field, typed = self[name], self[name].data or ""
            before = _lines(request.form.get(f"{_SEEN}{name}"))
            if now in (before, typed):
                continue
            if typed == before:
                field.data = now
            clashes.append(Clash(label=field.label.text, now=now, typed=field.data))
        return clashes


def fingerprint(*values: object) -> str:
    """Of what somebody saw who presses a button beside it: once sent back, another one tells what has changed since."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def answered(page: str, form: StaffForm, clashes: Sequence[Clash] = ()) -> Response:
    """As it came, to be mended, or to be compared with what somebody else has changed."""
    if clashes:
        return make_response(page, 409)
    return make_response(page, 422 if form.is_submitted() else 200)


def _lines(text: str | None) -> str | None:
    # Browsers send a line break as two signs (HTML, "newline normalization").
    return text.replace("\r\n", "\n") if text is not None else None
