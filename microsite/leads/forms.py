"""The fields that the three forms share, and what they become: a Sending."""

from functools import cached_property
from typing import Any
from unicodedata import category

from wtforms import BooleanField
from wtforms.utils import unset_value
from wtforms.validators import DataRequired, ValidationError

from ..campaigns.carry import current_attribution
from ..school import Wording
from ..web.context import current_school, current_settings
from ..web.fields import ChoiceField, NameField, TextField
from ..web.forms import SignedForm
from .models import FormName
from .normalise import (
    EMAIL_LIMIT,
    NEIGHBOURS,
    USUAL_DOMAINS,
    EmailRefused,
    EmailUndeliverable,
    normalise_email,
    suggest_domain,
)
from .phones import PhoneAmbiguous, PhoneRefused, Reading, normalise_phone
from .services import Person, Sending

NAME_LIMIT = 100
PHONE_LIMIT = 40
# The keyboard that a phone shows for an address.
EMAIL_KEYS = {"type": "email", "inputmode": "email", "spellcheck": "false", "enterkeyhint": "next"}


class EmailField(TextField):
    """An address checked by email-validator; `data` becomes the normalised one."""

    _is_accepted = False
    mistyped = "Saisissez une adresse e-mail complète, comme prenom@exemple.fr."
    usual_domains = USUAL_DOMAINS
    known_domains = tuple(sorted(NEIGHBOURS))

    def __init__(self, label: str, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, limit=EMAIL_LIMIT, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        # Copied from a page or a message, an address may bring invisible signs along.
        super().process_formdata(_visible(valuelist))

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if not self.data or self.errors:
            return
        try:
            self.data = normalise_email(self.data, check_dns=current_settings().check_email_dns)
        except EmailUndeliverable:
            raise ValidationError("Ce domaine ne reçoit pas d’e-mails : vérifiez ce qui suit le signe @.") from None
        except EmailRefused:
            raise ValidationError(self.mistyped) from None
        self._is_accepted = True

    @cached_property
    def suggestion(self) -> str | None:
        """A likelier domain, for who is shown the form again with an address that was accepted."""
        return suggest_domain(str(self.data)) if self._is_accepted else None


class PhoneField(TextField):
    """Any usual writing; `e164` is what is kept, `data` stays as typed.

    A number that may be a neighbour's is asked about once: `readings` are to choose from, `meant` is the chosen one.
    Sent again unchanged and without a choice, it is the French one, if France has such a number.
    """

    e164: str | None = None
    readings: tuple[Reading, ...] = ()
    meant = _asked_about = ""
    # The choice of who mistyped a number that isn't French.
    to_correct = "correct"
    may_correct = False
    mistyped = "Saisissez un numéro complet, comme 06 12 34 56 78 ou +33 6 12 34 56 78, ou laissez vide."

    @property
    def choice_name(self) -> str:
        return f"{self.name}_meant"

    @property
    def asked_name(self) -> str:
        return f"{self.name}_asked"

    @property
    def focus_id(self) -> str:
        """Where the error summary leads: the first choice, or the number itself."""
        return f"{self.id}-pays-1" if self.readings else str(self.id)

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        super().process(formdata, data, extra_filters)
        if formdata:
            self.meant, self._asked_about = (formdata.get(name, "") for name in (self.choice_name, self.asked_name))

    def process_formdata(self, valuelist: list[Any]) -> None:
        # Numbers copied from a contact list come wrapped in invisible direction signs.
        super().process_formdata(_visible(valuelist))

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if not self.data or self.errors:
            return
        try:
            self.e164 = normalise_phone(self.data)
        except PhoneAmbiguous as error:
            self._ask(error)
        except PhoneRefused:
            raise ValidationError(self.mistyped) from None

    def _ask(self, ambiguous: PhoneAmbiguous) -> None:
        is_repeated = self.data == self._asked_about
        if is_repeated and self.meant == self.to_correct:
            raise ValidationError(self.mistyped)
        self.readings, self.may_correct = ambiguous.readings, ambiguous.french is None
        self.e164 = ambiguous.french if is_repeated and not self.meant else ambiguous.choose(self.meant)
        if self.e164 is None:
            raise ValidationError(ambiguous.question)


def _visible(valuelist: list[Any]) -> list[str]:
    texts = map(str, valuelist)
    return [text if text.isascii() else "".join(char for char in text if category(char) != "Cf") for text in texts]


class LeadForm(SignedForm):
    """Name, e-mail and the rest that every form asks. Subclasses add their own fields and `answers`."""

    first_name = NameField(
        "Prénom",
        [DataRequired("Saisissez votre prénom.")],
        limit=NAME_LIMIT,
        render_kw={"autocomplete": "given-name", "autocapitalize": "words", "enterkeyhint": "next"},
    )
    last_name = NameField(
        "Nom",
        [DataRequired("Saisissez votre nom.")],
        limit=NAME_LIMIT,
        render_kw={"autocomplete": "family-name", "autocapitalize": "words", "enterkeyhint": "next"},
    )
    email = EmailField(
        "Adresse e-mail",
        [DataRequired("Saisissez votre adresse e-mail.")],
        render_kw=EMAIL_KEYS | {"autocomplete": "email"},
    )
    phone = PhoneField(
        "Téléphone",
        limit=PHONE_LIMIT,
        render_kw={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "enterkeyhint": "next"},
    )
    programme = ChoiceField("Formation qui vous attire")
    level = ChoiceField("Niveau d’études actuel")
    email_consent = BooleanField()
    phone_consent = BooleanField()

    def __init__(self, formdata: Any = None, **kwargs: Any) -> None:
        super().__init__(formdata=formdata, **kwargs)
        school = current_school()
        self.programme.offer(school.programmes)
        self.level.offer(school.levels)
        for channel, box in self._boxes().items():
            box.label.text = school.wordings[channel].text

    def answers(self) -> dict[str, Any]:
        """What only this form asks, ready for JSON."""
        return {}

    def sending(self) -> Sending:
        """Call once the form is valid."""
        return Sending(
            form=FormName(self.form_name),
            nonce=self.token.nonce,
            person=Person(
                first_name=str(self.first_name.data),
                last_name=str(self.last_name.data),
                email=str(self.email.data),
                phone=self.phone.e164,
            ),
            programme=self.programme.data or None,
            level=self.level.data or None,
            answers=self.answers(),
            agreed=self._agreed(),
            attribution=current_attribution(),
            is_suspicious=self.is_suspicious,
        )

    def shown(self) -> str:
        return current_school().words_shown

    def forget_agreements(self) -> None:
        for box in self._boxes().values():
            box.data = False

    def _agreed(self) -> tuple[Wording, ...]:
        # Agreeing to be called without leaving a number agrees to nothing.
        counts = {"email": True, "phone": self.phone.e164 is not None}
        return tuple(
            current_school().wordings[channel] for channel, box in self._boxes().items() if box.data and counts[channel]
        )

    def _boxes(self) -> dict[str, BooleanField]:
        return {"email": self.email_consent, "phone": self.phone_consent}
