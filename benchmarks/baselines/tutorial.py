"""Leads as a tutorial keeps them: one form, one table, every library as it comes out of its box."""

import os

from flask import Flask, redirect, render_template_string, url_for
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import FlaskForm
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, SelectField, StringField
from wtforms.validators import DataRequired, Email


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)
app = Flask(__name__)
app.config.update(SECRET_KEY="tutorial", SQLALCHEMY_DATABASE_URI=os.environ["TUTORIAL_DATABASE"])
db.init_app(app)


class Lead(db.Model):  # type: ignore[name-defined, misc]  # Flask-SQLAlchemy makes it while it runs
    id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    programme: Mapped[str | None]
    consent: Mapped[bool]


class LeadForm(FlaskForm):  # type: ignore[misc]  # untyped
    first_name = StringField("Prénom", [DataRequired()])
    last_name = StringField("Nom", [DataRequired()])
    email = EmailField("E-mail", [DataRequired(), Email()])
    phone = StringField("Téléphone")
    programme = SelectField("Formation", choices=[("", ""), ("realisation", "Réalisation"), ("scenario", "Scénario")])
    email_consent = BooleanField("J’accepte de recevoir des e-mails")


PAGE = """<!doctype html><title>Brochure</title><form method="post">{{ form.hidden_tag() }}
{% for field in form if field.name != "csrf_token" %}<p>{{ field.label }} {{ field }}</p>{% endfor %}
<button>Envoyer</button></form>"""


@app.route("/brochure", methods=["GET", "POST"])
def brochure() -> str | Response:
    form = LeadForm()
    if form.validate_on_submit():
        lead = Lead(
            first_name=form.first_name.data,
            last_name=form.last_name.data,
            email=form.email.data,
            phone=form.phone.data,
            programme=form.programme.data,
            consent=form.email_consent.data,
        )
        db.session.add(lead)
        db.session.commit()
        return redirect(url_for("thanks"), 303)
    return render_template_string(PAGE, form=form)


@app.get("/merci")
def thanks() -> str:
    return "Merci !"


with app.app_context():
    db.create_all()
