"""Fields for days, times and numbers: what browsers' own pickers send, read strictly, refused in French."""

import re
from datetime import date, datetime, time
from typing import Any

from wtforms.validators import StopValidation, ValidationError

from ..formatters import PARIS
from ..school import SkippedHour, paris_time
from ..web.fields import SECURE_URL, TextField
from .days import parse_day

_YEARS = range(2000, 2200)
_SIGNS = 40


class DayField(TextField):
    """`day` is what was chosen, or typed as people do: 31/01/2027."""

    def __init__(self, label: str, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, limit=_SIGNS, render_kw={"type": "date"}, **kwargs)

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


class TimeField(TextField):
    """`at` is what clocks show."""

    at: time | None = None

    def __init__(self, label: str, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, limit=_SIGNS, render_kw={"type": "time"}, **kwargs)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if not self.data or self.errors:
            return
        try:
            self.at = datetime.strptime(self.data[:5], "%H:%M").time()  # noqa: DTZ007
        except ValueError:
            raise ValidationError("Saisissez une heure, comme 10:00.") from None


class MomentField(TextField):
    """A day and a time in Paris; `moment` is aware."""

    moment: datetime | None = None

    def __init__(self, label: str, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, limit=_SIGNS, render_kw={"type": "datetime-local"}, **kwargs)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if not self.data or self.errors:
            return
        try:
            local = datetime.strptime(self.data[:16].replace(" ", "T"), "%Y-%m-%dT%H:%M")  # noqa: DTZ007
        except ValueError:
            raise ValidationError("Choisissez une date et une heure, comme 2027-01-31 18:00.") from None
        if local.year not in _YEARS:
            raise ValidationError("Vérifiez l’année.")
        try:
            self.moment = paris_time(local.date(), local.time())
        except SkippedHour as error:
            raise ValidationError(sentence(f"{error}.")) from None


class NumberField(TextField):
    """A whole number; `number` is what was typed."""

    number: int | None = None

    def __init__(
        self, label: str, validators: list[Any] | None = None, *, least: int, most: int, **kwargs: Any
    ) -> None:
        super().__init__(label, validators, limit=_SIGNS, render_kw={"inputmode": "numeric"}, **kwargs)
        self.bounds = range(least, most + 1)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if not self.data or self.errors:
            return
        if not re.fullmatch("[0-9]{1,9}", self.data) or int(self.data) not in self.bounds:
            raise ValidationError(f"Saisissez un nombre entier de {self.bounds[0]} à {self.bounds[-1]}.")
        self.number = int(self.data)


class SecureUrlField(TextField):
    """An address that people open: https alone, for it may let in whoever has it."""

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        if self.data and not SECURE_URL.fullmatch(self.data):
            raise StopValidation("Saisissez une adresse entière, qui commence par https://, sans espace.")


def as_day(moment: datetime) -> str:
    return f"{moment.astimezone(PARIS):%Y-%m-%d}"


def as_time(moment: datetime) -> str:
    return f"{moment.astimezone(PARIS):%H:%M}"


def as_moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(PARIS):%Y-%m-%dT%H:%M}" if moment else ""


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
