"""Days as a date picker sends them, and as people type them."""

import re
from datetime import date
from typing import Any

from wtforms.validators import ValidationError

from ..web.fields import TextField

_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", re.ASCII)
_FRENCH = re.compile(r"(?P<day>\d{1,2})[/. -](?P<month>\d{1,2})[/. -](?P<year>\d{4})", re.ASCII)


def parse_day(text: str) -> date | None:
    """2027-01-31 or 31/01/2027; None for anything else."""
    match = _ISO.fullmatch(text.strip()) or _FRENCH.fullmatch(text.strip())
    if match is None or not _FIRST_YEAR <= int(match["year"]) <= _LAST_YEAR:
        return None
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None


class DayField(TextField):
    """A day that may be left empty."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, limit=20, render_kw={"type": "date"}, **kwargs)

    @property
    def day(self) -> date | None:
        return parse_day(self.data or "")

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        if self.day is not None:
            # The one writing that a date picker can show again.
            self.data = self.day.isoformat()

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if self.data and not self.errors and self.day is None:
            raise ValidationError("Saisissez une date qui existe, comme 31/01/2027.")
