"""Form fields and validators that every form shares: they clean what is typed, and refuse with a way on."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, cast

from flask import Flask
from wtforms import Field, SelectField, StringField
from wtforms.csrf.core import CSRFTokenField
from wtforms.validators import DataRequired, ValidationError
from wtforms.widgets import TextArea

from ..formatters import format_number
from ..text import BLANKS, without_invisible

SECURE_URL = re.compile(r"https://[^\s/?#@]+\.[^\s/?#@]+([/?#]\S*)?")
_NOT_LISTED = "Choisissez une réponse dans la liste."
ILLEGIBLE = "Ce champ contenait des caractères invisibles ou illisibles : nous les avons retirés, vérifiez-le."

# Control characters, lone surrogates, line and paragraph separators (Unicode, table 12). Unassigned code points
# stay: they are mostly emoji newer than Python's tables.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Direction overrides, which make a text read as another one (Unicode TR 36, section 2.5), and U+FFFD, what is
# left of bytes that aren't UTF-8. Joiners stay: Persian, Hindi and many emoji need them.
_REFUSED = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffd\ufeff")
# Every line end of Unicode (UAX 14, class BK, with CR LF as one): Word's soft break is U+000B.
_LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")


def init_app(app: Flask) -> None:
    app.jinja_env.filters["wrong_fields"] = wrong_fields
    app.jinja_env.filters["early_messages"] = early_messages


def legible(text: str, *, multiline: bool = False) -> str:
    """The text in Unicode's composed form, without what nobody can read; line breaks and tabs only if multiline.

    A text of nothing but spaces and invisible signs comes back empty.
    """
    if _has_illegible(text, multiline=multiline):
        if not multiline:
            # Where it parted words, a space does.
            text = _LINE_ENDS.sub(" ", text).replace("\t", " ")
        text = "".join(char for char in text if _is_legible(char, multiline=multiline))
    return unicodedata.normalize("NFC", text) if any(map(_is_visible, text)) else ""


def _has_illegible(text: str, *, multiline: bool) -> bool:
    # What is printable for Python is no control, format or unassigned sign, and no surrogate.
    if text.isprintable():
        return "\ufffd" in text
    return not all(_is_legible(char, multiline=multiline) for char in text)


def _is_legible(char: str, *, multiline: bool) -> bool:
    if char in "\n\t":
        return multiline
    # U+FDD0 to U+FDEF and the last two of each plane are no characters (Unicode, section 23.7).
    is_noncharacter = 0xFDD0 <= ord(char) <= 0xFDEF or ord(char) & 0xFFFE == 0xFFFE
    return char not in _REFUSED and unicodedata.category(char) not in _REFUSED_CATEGORIES and not is_noncharacter


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in ("Cf", "Zs") and char not in BLANKS and char not in "\n\t"


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
            typed = _LINE_ENDS.sub("\n", typed)
        self.data = legible(typed, multiline=self.multiline).strip()
        self.is_illegible = _has_illegible(typed, multiline=self.multiline)

    def pre_validate(self, form: Any) -> None:
        if self.is_illegible:
            raise ValidationError(ILLEGIBLE)
        excess = len(self.data or "") - self.limit
        if excess > 0:
            raise ValidationError(
                f"Ce champ accepte {format_number(self.limit)} caractères au plus : retirez-en {format_number(excess)}."
            )


class NameField(TextField):
    """What somebody is called: no-break spaces become plain ones, and invisible signs are taken out."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata([without_invisible(str(text)) for text in valuelist])


class LongTextField(TextField):
    """Several lines, kept; each line break is one character (browsers send two). `least`, in characters, if written."""

    multiline = True
    widget = TextArea()

    def __init__(self, label: str, validators: list[Any] | None = None, *, least: int = 0, **kwargs: Any) -> None:
        super().__init__(label, validators, **kwargs)
        self.least = least

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        missing = self.least - len(self.data or "")
        if self.data and missing > 0:
            some = "il manque 1 caractère" if missing == 1 else f"il manque {format_number(missing)} caractères"
            raise ValidationError(f"Dites-en un peu plus : {some} pour atteindre {format_number(self.least)}.")


class ChoiceField(SelectField):
    """One choice among key → label pairs set on the form; the empty choice comes first."""

    def __init__(self, label: str, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, choices={}, **kwargs)

    def offer(self, choices: Mapping[str, str], *, empty: str | None = "Choisissez…") -> None:
        self.choices = ({"": empty} if empty is not None else {}) | dict(choices)

    def pre_validate(self, form: Any) -> None:
        # As WTForms does, without an object for each choice.
        if self.data not in cast(Mapping[str, str], self.choices):
            raise ValidationError(_NOT_LISTED)

    def process_formdata(self, valuelist: list[Any]) -> None:
        # A form that leaves the field out and one that leaves it empty say the same.
        self.data = str(valuelist[0]) if valuelist else self.default or ""


def refuse(field: Field, message: str) -> None:
    """Add an error found after validation (a slot that filled up meanwhile, say)."""
    field.errors = [*field.errors, message]


def early_messages(field: Field) -> dict[str, str]:
    """What can be told as soon as the field is left: `missing` for an empty one, `mistyped` for what can't be right."""
    required = next((validator for validator in field.validators if isinstance(validator, DataRequired)), None)
    messages = {"missing": required.message if required else None, "mistyped": getattr(field, "mistyped", None)}
    return {name: message for name, message in messages.items() if message}


def wrong_fields(form: Iterable[Field]) -> list[Field]:
    """The fields that a visitor must correct, in the order of the form."""
    return [field for field in form if field.errors and not isinstance(field, CSRFTokenField)]
