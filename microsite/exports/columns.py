"""The columns of the export, in order. Later ones are only added at the end: macros and imports count on it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..leads.models import FormName, SubmissionStatus
from ..open_days.models import RegistrationState
from ..school import School
from .dialects import Dialect, harmless

FORMS = {
    FormName.BROCHURE: "Brochure",
    FormName.OPEN_DAY: "Portes ouvertes",
    FormName.APPLICATION: "Candidature",
}
_STATUSES = {
    SubmissionStatus.RECEIVED: "reçue",
    SubmissionStatus.QUARANTINED: "en quarantaine",
    SubmissionStatus.RELEASED: "reçue, quarantaine levée",
    SubmissionStatus.SPAM: "indésirable",
}
_REGISTRATIONS = {
    RegistrationState.CONFIRMED: "confirmée",
    RegistrationState.WAITING: "en liste d’attente",
    RegistrationState.OFFERED: "place proposée",
    RegistrationState.CANCELLED: "annulée",
    RegistrationState.EXPIRED: "proposition sans réponse",
    RegistrationState.ATTENDED: "présence notée",
}
# In the state's place, for what nobody sent.
_SAMPLE = {"sample": "exemple"}
# In the slot's place, for who chose none.
_ALERT = {"alert": "À prévenir"}


@dataclass(frozen=True, kw_only=True)
class Writing:
    """What turns a value into text: the dialect, and the school's labels."""

    dialect: Dialect
    school: School


# A row has the columns of Submission, email_consent_at, email_consent_confirmed_at, phone_consent_at; and registration
# (its state), checked_in_at and is_walk_in, which are None without one.
Cell = Callable[[Any, Writing], str]


@dataclass(frozen=True, kw_only=True)
class Column:
    """`is_typed`: the text comes from outside, so it is guarded where the dialect guards formulas."""

    key: str
    heading: str
    cell: Cell
    is_typed: bool = False

    def write(self, row: Any, writing: Writing) -> str:
        text = self.cell(row, writing)
        return harmless(text) if self.is_typed and writing.dialect.guards_formulas else text


def heading(column: Column, dialect: Dialect) -> str:
    return column.heading if dialect.has_french_headings else column.key


def _typed(key: str, heading: str) -> Column:
    """A column of Submission as it is."""
    return Column(key=key, heading=heading, cell=lambda row, _: getattr(row, key), is_typed=True)


def _answer(key: str, heading: str) -> Column:
    """A text among the answers that only one form asks for."""
    return Column(key=key, heading=heading, cell=lambda row, _: row.answers.get(key) or "", is_typed=True)


def _computed(key: str, heading: str, cell: Cell) -> Column:
    return Column(key=key, heading=heading, cell=cell)


def _named(key: str, heading: str, cell: Cell) -> Column:
    # Guarded all the same: a label is the school's own, a key that left school.toml isn't.
    return Column(key=key, heading=heading, cell=cell, is_typed=True)


def _status(row: Any, writing: Writing) -> str:
    return writing.dialect.named("sample", _SAMPLE) if row.is_sample else writing.dialect.named(row.status, _STATUSES)


def _slot(row: Any, writing: Writing) -> str:
    if row.form != FormName.OPEN_DAY:
        return ""
    starts_at = row.answers["slot_starts_at"]
    if starts_at is None:
        return writing.dialect.named("alert", _ALERT)
    return writing.dialect.slot(datetime.fromisoformat(starts_at))


def _companions(row: Any, _writing: Writing) -> str:
    return str(row.answers.get("companions", ""))


def _walk_in(row: Any, writing: Writing) -> str:
    return "" if row.is_walk_in is None else writing.dialect.yes_no(yes=row.is_walk_in)


COLUMNS = (
    _typed("reference", "Référence"),
    _computed("submitted_at", "Envoyée le", lambda row, w: w.dialect.time(row.submitted_at)),
    _computed("form", "Formulaire", lambda row, w: w.dialect.named(row.form, FORMS)),
    _computed("status", "État", _status),
    _typed("first_name", "Prénom"),
    _typed("last_name", "Nom"),
    _typed("email", "E-mail"),
    _computed("phone", "Téléphone", lambda row, w: w.dialect.phone(row.phone)),
    _named("programme", "Formation", lambda row, w: w.dialect.named(row.programme, w.school.programmes)),
    _named("level", "Niveau d’études", lambda row, w: w.dialect.named(row.level, w.school.levels)),
    _computed("slot", "Créneau", _slot),
    _computed("companions", "Accompagnants", _companions),
    _answer("access_needs", "Besoins d’accessibilité"),
    _computed("birth_date", "Date de naissance", lambda row, w: w.dialect.day(row.answers.get("birth_date", ""))),
    _named("intake", "Rentrée", lambda row, w: w.dialect.named(row.answers.get("intake"), w.school.intakes)),
    _answer("motivation", "Motivation"),
    _answer("guardian_name", "Responsable légal"),
    _answer("guardian_email", "E-mail du responsable légal"),
    _computed(
        "email_consent",
        "Accord pour l’e-mail",
        lambda row, w: w.dialect.yes_no(yes=row.email_consent_at is not None),
    ),
    _computed(
        "email_consent_confirmed_at",
        "Accord pour l’e-mail confirmé le",
        lambda row, w: w.dialect.time(row.email_consent_confirmed_at),
    ),
    _computed(
        "phone_consent",
        "Accord pour le téléphone",
        lambda row, w: w.dialect.yes_no(yes=row.phone_consent_at is not None),
    ),
    _typed("utm_source", "Source"),
    _typed("utm_medium", "Support"),
    _typed("utm_campaign", "Campagne"),
    _typed("utm_term", "Terme"),
    _typed("utm_content", "Contenu"),
    _typed("referrer_host", "Site d’origine"),
    _typed("landing_path", "Page d’arrivée"),
    _typed("article", "Article"),
    _typed("embed_host", "Site partenaire"),
    _computed("registration", "Inscription", lambda row, w: w.dialect.named(row.registration, _REGISTRATIONS)),
    _computed("checked_in_at", "Arrivée le", lambda row, w: w.dialect.time(row.checked_in_at)),
    _computed("walk_in", "Venue sans inscription", _walk_in),
)

_BY_KEY = {column.key: column for column in COLUMNS}
_AGREED = _computed("agreed_at", "Accord donné le", lambda row, w: w.dialect.time(row.agreed_at))
_CONFIRMED = _computed(
    "confirmed", "Accord confirmé", lambda row, w: w.dialect.yes_no(yes=row.email_consent_confirmed_at is not None)
)
_LAST_SENT = ("programme", "level", "intake", "form", "submitted_at", "slot", "guardian_name")

# Whom one calls, and whom one writes to: what one needs for that, and no more.
CALL_COLUMNS = (
    *(_BY_KEY[key] for key in ("last_name", "first_name", "phone", *_LAST_SENT)),
    _AGREED,
    *(_BY_KEY[key] for key in ("utm_campaign", "reference")),
)
WRITE_COLUMNS = (
    *(_BY_KEY[key] for key in ("last_name", "first_name", "email")),
    _CONFIRMED,
    *(_BY_KEY[key] for key in _LAST_SENT),
    _AGREED,
    *(_BY_KEY[key] for key in ("email_consent_confirmed_at", "utm_campaign", "reference")),
)
