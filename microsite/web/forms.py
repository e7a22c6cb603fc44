"""The base of every public form: a Flask-WTF form whose CSRF protection is a signed, timed token, no cookie.

Inside an iframe third-party cookies are blocked, so the token travels in the form alone. It says which form
it was rendered for, and when; its nonce makes a form that is sent twice recognisable.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.validators import ValidationError

from .context import current_settings, utc_now
from .framing import is_framed
from .links import LinkExpired, LinkForged, sign, unsign

# Seconds for which a rendered form can be sent: a tab left open overnight still works.
TOKEN_MAX_AGE = 24 * 3600
_PURPOSE = "form"
# Seconds in a hundred years.
_FOR_GOOD = 100 * 365 * 24 * 3600

EXPIRED = "Cette page était ouverte depuis longtemps. Vos réponses sont toujours là : vérifiez-les et renvoyez."
FORGED = "Nous n’avons pas reconnu cet envoi. Vos réponses sont toujours là : vérifiez-les et renvoyez."
CHANGED = "Le texte des cases à cocher a changé entre-temps. Relisez-les, puis renvoyez."


@dataclass(frozen=True, kw_only=True)
class FormToken:
    """What a rendered form carries, signed. `shown` names the version of the words it was rendered with.

    `is_framed`: it was rendered for another site's frame.
    """

    form: str
    nonce: str
    shown: str
    is_first_try: bool
    is_framed: bool

    def sign(self) -> str:
        return sign(_PURPOSE, [self.form, self.nonce, self.shown, int(self.is_first_try), int(self.is_framed)])

    @classmethod
    def read(cls, text: str, *, max_age: int) -> tuple["FormToken", datetime]:
        """The token, and when it was signed. Raises LinkForged or LinkExpired."""
        (form, nonce, shown, is_first_try, *rest), signed_at = unsign(_PURPOSE, text, max_age=max_age)
        # A page that was rendered before tokens said it is still sent for a day.
        is_framed = bool(rest and rest[0])
        token = cls(form=form, nonce=nonce, shown=shown, is_first_try=bool(is_first_try), is_framed=is_framed)
        return token, signed_at


def is_framed_token(text: str) -> bool:
    """Whether we signed it for a frame, however long ago: the form itself says that it has expired."""
    try:
        token, _ = FormToken.read(text, max_age=_FOR_GOOD)
    except (LinkForged, LinkExpired):
        return False
    return token.is_framed


class _TokenField(CSRFTokenField):
    """Makes its token when it is rendered, which a form that is thanked for never is."""

    csrf_impl: "TokenProtection"

    def _value(self) -> str:
        return self.csrf_impl.next_token().sign()


class TokenProtection(CSRF):
    """WTForms' CSRF hook: judges the token that came, and makes the one that a form is shown with."""

    field_class = _TokenField
    _is_judged = _is_accepted = False

    def setup_form(self, form: Any) -> Any:
        self._form: SignedForm = form
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: Any) -> str:
        """None yet: it is made when it is rendered."""
        return ""

    def next_token(self) -> FormToken:
        """What the form is sent with next: under the same name again, if what came was ours."""
        if self._is_accepted:
            return replace(self._form.token, is_first_try=False)
        return self._form.fresh_token(is_first_try=not self._is_judged)

    def validate_csrf_token(self, form: Any, field: Any) -> None:
        self._is_judged = True
        self._form.token, self._form.rendered_at = self._judge(field.data or "")
        self._is_accepted = True

    def _judge(self, text: str) -> tuple[FormToken, datetime]:
        try:
            token, signed_at = FormToken.read(text, max_age=TOKEN_MAX_AGE)
        except LinkExpired:
            raise ValidationError(EXPIRED) from None
        except LinkForged:
            raise ValidationError(FORGED) from None
        if token.form != self._form.form_name:
            raise ValidationError(FORGED)
        if token.shown != self._form.shown():
            self._form.forget_agreements()
            raise ValidationError(CHANGED)
        return token, signed_at


class SignedForm(FlaskForm):
    """A public form. Subclasses name themselves, and the version of any words that people agree to on it."""

    form_name: ClassVar[str]

    token: FormToken
    rendered_at: datetime
    # Sent faster than people type: shown again, filled in, with « Confirmer l'envoi ».
    needs_confirmation = False
    # What the form needs from the database couldn't be read: nothing can be judged, nor kept.
    is_unavailable = False

    class Meta(FlaskForm.Meta):
        csrf = True
        csrf_class = TokenProtection
        csrf_field_name = "form_token"
        csrf_context = None

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            # Three forms share a page and their field names: the ids must differ.
            return unbound_field.bind(form=form, id=f"{form.form_name}-{options['name']}", **options)

    # Hidden from people; what fills it in is a program.
    topic = StringField("Laissez ce champ vide")

    def shown(self) -> str:
        return ""

    def forget_agreements(self) -> None:
        """Untick what was agreed to under other words."""

    def fresh_token(self, *, is_first_try: bool) -> FormToken:
        nonce = secrets.token_urlsafe(12)
        return FormToken(
            form=self.form_name, nonce=nonce, shown=self.shown(), is_first_try=is_first_try, is_framed=is_framed()
        )

    @property
    def is_suspicious(self) -> bool:
        return bool(self.topic.data)

    def validate(self, extra_validators: Any = None) -> bool:
        if not super().validate(extra_validators):
            return False
        least = timedelta(seconds=current_settings().min_fill_seconds)
        # The token counts whole seconds, rounded down: the doubt is the visitor's.
        self.needs_confirmation = self.token.is_first_try and utc_now() - self.rendered_at < least
        return not self.needs_confirmation
