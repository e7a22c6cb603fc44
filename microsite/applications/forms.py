"""The application form: intake, date of birth, motivation, and a guardian for those under 18."""

import re
from datetime import date
from typing import Any

from wtforms import BooleanField, HiddenField
from wtforms.validators import DataRequired, ValidationError

from ..formatters import PARIS, format_number
from ..leads.forms import EMAIL_KEYS, NAME_LIMIT, EmailField, LeadForm
from ..leads.models import FormName
from ..leads.normalise import email_key
from ..web.context import current_school, utc_now
from ..web.fields import ChoiceField, LongTextField, NameField, TextField, refuse

MOTIVATION_LEAST = 200
MOTIVATION_LIMIT = 4000
ADULT_AGE = 18
# Age of digital consent in France: article 45 of loi n° 78-17.
CONSENT_AGE = 15
_YOUNGEST, _OLDEST = 10, 110
SAME_ADDRESS = (
    "C’est aussi l’adresse que vous avez donnée pour vous : est-ce bien celle de ce parent ou responsable ? "
    "Si oui, renvoyez votre candidature telle quelle ; sinon, corrigez l’une des deux."
)

_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
_FRENCH = re.compile(r"(?P<day>\d{1,2})[/. -](?P<month>\d{1,2})[/. -](?P<year>\d{4})")


class BirthDateField(TextField):
    """A date as a date picker sends it (2008-05-12) or as people type it (12/05/2008)."""

    day: date | None = None

    def __init__(self, label: str, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, limit=20, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        self.day = _parse_day(self.data or "")
        if self.day is not None:
            # The one writing that a date picker can show again.
            self.data = self.day.isoformat()

    @property
    def age(self) -> int | None:
        """Whole years, today in Paris."""
        if self.day is None:
            return None
        today = utc_now().astimezone(PARIS).date()
        had_birthday = (today.month, today.day) >= (self.day.month, self.day.day)
        return today.year - self.day.year - (0 if had_birthday else 1)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if not self.data or self.errors:
            return
        if self.age is None:
            raise ValidationError("Saisissez une date qui existe, comme 12/05/2008.")
        if not _YOUNGEST <= self.age <= _OLDEST:
            raise ValidationError("Vérifiez l’année : cette date de naissance n’est pas possible.")


class ApplicationForm(LeadForm):
    form_name = FormName.APPLICATION

    programme = ChoiceField(
        "Formation souhaitée", [DataRequired("Choisissez une formation, ou « Je ne sais pas encore ».")]
    )
    intake = ChoiceField("Rentrée visée", [DataRequired("Choisissez une rentrée.")])
    level = ChoiceField("Niveau d’études actuel", [DataRequired("Choisissez votre niveau d’études.")])
    birth_date = BirthDateField(
        "Date de naissance",
        [DataRequired("Saisissez votre date de naissance.")],
        render_kw={"type": "date", "autocomplete": "bday"},
    )
    motivation = LongTextField(
        "Votre motivation",
        [DataRequired("Écrivez quelques lignes sur votre motivation.")],
        least=MOTIVATION_LEAST,
        limit=MOTIVATION_LIMIT,
        description=(
            "Un film, un projet, une envie de métier : "
            f"de {MOTIVATION_LEAST} à {format_number(MOTIVATION_LIMIT)} caractères."
        ),
        render_kw={"rows": 8},
    )
    guardian_name = NameField(
        "Parent ou responsable légal",
        limit=NAME_LIMIT,
        render_kw={"autocomplete": "off", "autocapitalize": "words", "enterkeyhint": "next"},
    )
    guardian_email = EmailField(
        "Son adresse e-mail",
        render_kw=EMAIL_KEYS | {"autocomplete": "off"},
    )
    # The address of which was asked whether it is really the guardian's: sent again unchanged, it is.
    asked_about = HiddenField()

    def __init__(self, formdata: Any = None, **kwargs: Any) -> None:
        super().__init__(formdata=formdata, **kwargs)
        self.intake.offer(current_school().intakes)

    def answers(self) -> dict[str, Any]:
        return {
            "intake": self.intake.data,
            "birth_date": self.birth_date.data,
            "motivation": self.motivation.data,
            "guardian_name": self.guardian_name.data,
            "guardian_email": self.guardian_email.data,
        }

    def validate_guardian_name(self, field: TextField) -> None:
        if self._is_under(ADULT_AGE) and not field.data:
            raise ValidationError("Vous avez moins de 18 ans : saisissez le nom d’un parent ou responsable légal.")

    def validate_guardian_email(self, field: EmailField) -> None:
        if self._is_under(ADULT_AGE) and not field.data:
            raise ValidationError("Vous avez moins de 18 ans : saisissez l’adresse e-mail de ce responsable.")

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = super().validate(extra_validators)
        return not self.errors and not self._asks_whose_address() and is_valid

    def _asks_whose_address(self) -> bool:
        """Once for each address that stands twice: a family may share a mailbox, and people fill in their own."""
        if not self.guardian_email.data:
            return False
        own, theirs = (email_key(str(field.data)) for field in (self.email, self.guardian_email))
        if own != theirs or theirs == self.asked_about.data:
            return False
        self.asked_about.data = theirs
        refuse(self.guardian_email, SAME_ADDRESS)
        return True

    def validate_email_consent(self, field: BooleanField) -> None:
        self._refuse_before_consent_age(field)

    def validate_phone_consent(self, field: BooleanField) -> None:
        self._refuse_before_consent_age(field)

    def _refuse_before_consent_age(self, field: BooleanField) -> None:
        if field.data and self._is_under(CONSENT_AGE):
            raise ValidationError(
                "D’après votre date de naissance, vous avez moins de 15 ans : décochez cette case. "
                "Votre candidature est étudiée de la même façon."
            )

    def _is_under(self, years: int) -> bool:
        age = self.birth_date.age
        return age is not None and _YOUNGEST <= age < years


def _parse_day(text: str) -> date | None:
    match = _ISO.fullmatch(text) or _FRENCH.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
