"""Forms of the back-office. Their CSRF token is the session's, judged for every POST at once (guard.py)."""

from flask_wtf import FlaskForm
from wtforms import Field, PasswordField
from wtforms.validators import DataRequired

from ..leads.normalise import EMAIL_LIMIT
from ..web.fields import TextField


class StaffForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    class Meta:
        csrf = False

    @property
    def form_name(self) -> str:
        return type(self).__name__.lower()


def entered(field: Field) -> str:
    """What was typed in a field that was judged valid."""
    return str(field.data or "")


class SignInForm(StaffForm):
    email = TextField(
        "Adresse e-mail",
        [DataRequired("Saisissez votre adresse e-mail.")],
        limit=EMAIL_LIMIT,
        render_kw={"type": "email", "inputmode": "email", "autocomplete": "username", "spellcheck": "false"},
    )
    password = PasswordField(
        "Mot de passe",
        [DataRequired("Saisissez votre mot de passe.")],
        render_kw={"autocomplete": "current-password"},
    )


class CodeForm(StaffForm):
    code = TextField(
        "Code",
        [DataRequired("Saisissez le code à six chiffres, ou un code de secours.")],
        limit=40,
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True},
    )


class NewCodeForm(CodeForm):
    """The first code of a telephone."""

    password = PasswordField(
        "Mot de passe",
        [DataRequired("Saisissez votre mot de passe.")],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordAgainForm(StaffForm):
    """For what would make it easier to get into the account."""

    password = PasswordField(
        "Votre mot de passe",
        [DataRequired("Saisissez votre mot de passe.")],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(StaffForm):
    current = PasswordField(
        "Mot de passe actuel",
        [DataRequired("Saisissez votre mot de passe actuel.")],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        "Nouveau mot de passe",
        [DataRequired("Choisissez un mot de passe.")],
        description="Douze caractères au moins. Quelques mots à la suite font un bon mot de passe.",
        render_kw={"autocomplete": "new-password"},
    )
