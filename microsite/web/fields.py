"""Form fields and validators that every form shares: they clean what is typed, and refuse with a way on."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask
from wtforms import Field, SelectField, StringField
from wtforms.csrf.core import CSRFTokenField
from wtforms.validators import ValidationError

ILLEGIBLE = "Ce champ contenait des caractères invisibles ou illisibles : nous les avons retirés, vérifiez-le."

# Control characters, lone surrogates, unassigned code points, line and paragraph separators (Unicode, table 12).
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
# Direction overrides, which make a text read as another one (Unicode TR 36, section 2.5), and U+FFFD, what is
# left of bytes that aren't UTF-8. Joiners stay: Persian, Hindi and many emoji need them.
_REFUSED = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffd\ufeff")


def init_app(app: Flask) -> None:
    app.jinja_env.filters["wrong_fields"] = wrong_fields


def legible(text: str, *, multiline: bool = False) -> str:
    """The text in Unicode's composed form, without what nobody can read; a tab counts as a space."""
    text = unicodedata.normalize("NFC", text.replace("\t", " "))
    return "".join(
        char
        for char in text
        if (multiline and char == "\n")
        or (char not in _REFUSED and unicodedata.category(char) not in _REFUSED_CATEGORIES)
    )


class TextField(StringField):
    """One line of text: surrounding spaces dropped, Unicode composed, what is illegible taken out and told.

    `limit`, in characters, is checked here and never written as a maxlength attribute, for browsers cut a
    pasted text there without a word.
    """

    multiline = False

    def __init__(self, label: str, validators: list[Any] | None = None, *, limit: int, **kwargs: Any) -> None:
        super().__init__(label, validators, **kwargs)
        self.limit = limit
        self.is_illegible = False

    def process_formdata(self, valuelist: list[Any]) -> None:
        typed = str(valuelist[0]) if valuelist else ""
        if self.multiline:
            typed = typed.replace("\r\n", "\n").replace("\r", "\n")
        typed = typed.strip()
        cleaned = legible(typed, multiline=self.multiline)
        self.is_illegible = cleaned != unicodedata.normalize("NFC", typed.replace("\t", " "))
        self.data = cleaned.strip()

    def pre_validate(self, form: Any) -> None:
        if self.is_illegible:
            raise ValidationError(ILLEGIBLE)
        excess = len(self.data or "") - self.limit
        if excess > 0:
            raise ValidationError(f"Ce champ accepte {self.limit} caractères au plus : retirez-en {excess}.")


class LongTextField(TextField):
    """Several lines, kept; each line break is one character (browsers send two)."""

    multiline = True


class ChoiceField(SelectField):
    """One choice among key → label pairs set on the form; the empty choice comes first."""

    def __init__(self, label: str, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(  # type: ignore[call-arg]  # new in WTForms 3.3, the stubs describe 3.2
            label,
            validators,
            invalid_choice_message="Choisissez une réponse dans la liste.",
            choices={},
            **kwargs,
        )

    def offer(self, choices: Mapping[str, str], *, empty: str | None = "Choisissez…") -> None:
        self.choices = ({"": empty} if empty is not None else {}) | dict(choices)

    def process_formdata(self, valuelist: list[Any]) -> None:
        # A form that leaves the field out and one that leaves it empty say the same.
        self.data = str(valuelist[0]) if valuelist else self.default or ""


def refuse(field: Field, message: str) -> None:
    """Add an error found after validation (a slot that filled up meanwhile, say)."""
    field.errors = [*field.errors, message]


def wrong_fields(form: Iterable[Field]) -> list[Field]:
    """The fields that a visitor must correct, in the order of the form."""
    return [field for field in form if field.errors and not isinstance(field, CSRFTokenField)]
