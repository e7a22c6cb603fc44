"""Two people, one thing: a form says what it was rendered from, and saves nothing over what has changed since."""

import hashlib
from collections.abc import Mapping
from typing import Any

from wtforms import HiddenField

from .forms import StaffForm

CHANGED = "Quelqu’un a modifié cette fiche entre-temps. Rien n’est enregistré : comparez, puis enregistrez de nouveau."


class ChangeForm(StaffForm):
    """A form that changes what is there already; `seen` is its state when the form was rendered."""

    seen = HiddenField()

    def is_about(self, values: Mapping[str, Any]) -> bool:
        """Whether these are still the values that the form was rendered from."""
        return bool(self.seen.data == fingerprint(values))

    def render_from(self, values: Mapping[str, Any]) -> None:
        self.seen.data = fingerprint(values)


def fingerprint(values: Mapping[str, Any]) -> str:
    text = "\0".join(f"{name}={value!r}" for name, value in sorted(values.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
