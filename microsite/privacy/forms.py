"""The form that asks where to mail a link to the personal page."""

from wtforms.validators import DataRequired

from ..leads.forms import EMAIL_KEYS, EmailField
from ..web.forms import SignedForm


class AccessForm(SignedForm):
    form_name = "access"

    email = EmailField(
        "Adresse e-mail",
        [DataRequired("Saisissez l’adresse e-mail que vous nous avez donnée.")],
        render_kw=EMAIL_KEYS | {"autocomplete": "email", "enterkeyhint": "send"},
    )
