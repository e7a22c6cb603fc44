"""The columns of the export, in order. Later ones are only added at the end: macros and imports count on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..leads.models import FormName, SubmissionStatus
from ..open_days.models import RegistrationState
from ..school import School
from .dialects import Dialect

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


# Rows by the names of what they are read from (rows.py), each with its values from the first row to the last.
Rows = Mapping[str, Sequence[Any]]
Cells = Callable[[Rows, Writing], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Column:
    """Written for many rows at once: a million of them have thirty-three million cells.

    `is_typed`: the text comes from outside, so that the dialect keeps a spreadsheet from computing or changing it.
    """

    key: str
    heading: str
    cells: Cells
    is_typed: bool = False

    def write(self, rows: Rows, writing: Writing) -> Sequence[str]:
        texts = self.cells(rows, writing)
        return writing.dialect.typed(texts) if self.is_typed else texts


def heading(column: Column, dialect: Dialect) -> str:
    return column.heading if dialect.has_french_headings else column.key


def _typed(key: str, heading: str) -> Column:
    """A column of Submission as it is."""
    return Column(key=key, heading=heading, cells=lambda rows, _: rows[key], is_typed=True)


def _answer(key: str, heading: str) -> Column:
    """A text among the answers that only one form asks for."""
    return Column(key=key, heading=heading, cells=lambda rows, _: _answered(rows, key), is_typed=True)


def _answered(rows: Rows, key: str) -> list[Any]:
    return [answers.get(key) or "" for answers in rows["answers"]]


def _computed(key: str, heading: str, cells: Cells) -> Column:
    return Column(key=key, heading=heading, cells=cells)


def _time(key: str, heading: str) -> Column:
    return _computed(key, heading, lambda rows, w: [w.dialect.time(at) for at in rows[key]])


def _is_known(key: str, heading: str, source: str) -> Column:
    """Whether there is a value."""
    return _computed(key, heading, lambda rows, w: [w.dialect.yes_no(yes=value is not None) for value in rows[source]])


def _named(key: str, heading: str, cells: Cells) -> Column:
    # Guarded all the same: a label is the school's own, a key that left school.toml isn't.
    return Column(key=key, heading=heading, cells=cells, is_typed=True)


def _names(keys: Sequence[str | None], labels: Mapping[Any, str], writing: Writing) -> list[str]:
    """Few keys come again and again: each is looked up once."""
    names = {key: writing.dialect.named(key, labels) for key in set(keys)}
    return [names[key] for key in keys]


def _statuses(rows: Rows, writing: Writing) -> list[str]:
    sample = writing.dialect.named("sample", _SAMPLE)
    names = _names(rows["status"], _STATUSES, writing)
    return [sample if is_sample else name for is_sample, name in zip(rows["is_sample"], names, strict=True)]


def _slots(rows: Rows, writing: Writing) -> list[str]:
    alert = writing.dialect.named("alert", _ALERT)
    return [
        _slot(answers["slot_starts_at"], alert, writing) if form == FormName.OPEN_DAY else ""
        for form, answers in zip(rows["form"], rows["answers"], strict=True)
    ]


def _slot(starts_at: str | None, alert: str, writing: Writing) -> str:
    return alert if starts_at is None else writing.dialect.slot(datetime.fromisoformat(starts_at))


def _companions(rows: Rows, _writing: Writing) -> list[str]:
    return [str(answers.get("companions", "")) for answers in rows["answers"]]


def _birth_dates(rows: Rows, writing: Writing) -> list[str]:
    return [writing.dialect.day(day) for day in _answered(rows, "birth_date")]


def _walk_ins(rows: Rows, writing: Writing) -> list[str]:
    return ["" if walk_in is None else writing.dialect.yes_no(yes=walk_in) for walk_in in rows["is_walk_in"]]


COLUMNS = (
    _typed("reference", "Référence"),
    _time("submitted_at", "Envoyée le"),
    _computed("form", "Formulaire", lambda rows, w: _names(rows["form"], FORMS, w)),
    _computed("status", "État", _statuses),
    _typed("first_name", "Prénom"),
    _typed("last_name", "Nom"),
    _typed("email", "E-mail"),
    _computed("phone", "Téléphone", lambda rows, w: [w.dialect.phone(phone) for phone in rows["phone"]]),
    _named("programme", "Formation", lambda rows, w: _names(rows["programme"], w.school.programmes, w)),
    _named("level", "Niveau d’études", lambda rows, w: _names(rows["level"], w.school.levels, w)),
    _computed("slot", "Créneau", _slots),
    _computed("companions", "Accompagnants", _companions),
    _answer("access_needs", "Besoins d’accessibilité"),
    _computed("birth_date", "Date de naissance", _birth_dates),
    _named("intake", "Rentrée", lambda rows, w: _names(_answered(rows, "intake"), w.school.intakes, w)),
    _answer("motivation", "Motivation"),
    _answer("guardian_name", "Responsable légal"),
    _answer("guardian_email", "E-mail du responsable légal"),
    _is_known("email_consent", "Accord pour l’e-mail", "email_consent_at"),
    _time("email_consent_confirmed_at", "Accord pour l’e-mail confirmé le"),
    _is_known("phone_consent", "Accord pour le téléphone", "phone_consent_at"),
    _typed("utm_source", "Source"),
    _typed("utm_medium", "Support"),
    _typed("utm_campaign", "Campagne"),
    _typed("utm_term", "Terme"),
    _typed("utm_content", "Contenu"),
    _typed("referrer_host", "Site d’origine"),
    _typed("landing_path", "Page d’arrivée"),
    _typed("article", "Article"),
    _typed("embed_host", "Site partenaire"),
    _computed("registration", "Inscription", lambda rows, w: _names(rows["registration"], _REGISTRATIONS, w)),
    _time("checked_in_at", "Arrivée le"),
    _computed("walk_in", "Venue sans inscription", _walk_ins),
)

_BY_KEY = {column.key: column for column in COLUMNS}
_AGREED = _time("agreed_at", "Accord donné le")
_CONFIRMED = _is_known("confirmed", "Accord confirmé", "email_consent_confirmed_at")
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
