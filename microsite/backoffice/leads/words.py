"""What a lead and its submissions are called on screen: columns and words are those of the export."""

from ...exports.columns import COLUMNS, FORMS, Writing
from ...exports.dialects import ExcelFr
from ...formatters import format_day
from ...leads.filters import Agreement, LeadFilter, Sort, State
from ...leads.models import Submission
from ...school import School

STATES: dict[State | None, str] = {
    None: "Tous",
    State.REVIEW: "À vérifier",
    State.QUARANTINED: "Quarantaine",
    State.SPAM: "Indésirables",
}
AGREEMENTS = {
    Agreement.EMAIL: "E-mail",
    Agreement.CONFIRMED: "E-mail, confirmé",
    Agreement.PHONE: "Téléphone",
    Agreement.NONE: "Aucun accord",
}
SORTS = {Sort.CONTACT: "Dernier contact", Sort.NAME: "Nom", Sort.ARRIVAL: "Premier contact"}
PURPOSES = {"news": "parler de l’école et de ses formations"}
CHANNELS = {"email": "E-mail", "phone": "Téléphone (appels et SMS)"}

# Columns of the export: what somebody typed, and how they came.
_TYPED = (
    "first_name", "last_name", "email", "phone", "programme", "level", "slot", "companions", "access_needs",
    "birth_date", "intake", "motivation", "guardian_name", "guardian_email",
)  # fmt: skip
_CAME = (
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer_host", "landing_path", "article",
    "embed_host",
)  # fmt: skip
_BY_KEY = {column.key: column for column in COLUMNS}


def described(chosen: LeadFilter, school: School) -> list[tuple[str, str]]:
    """What is asked for: a heading and a value each."""
    said = {
        "Liste": STATES[chosen.state] if chosen.state else "",
        "Recherche": chosen.search,
        "Formulaire": FORMS[chosen.form] if chosen.form else "",
        "Depuis le": format_day(chosen.since) if chosen.since else "",
        "Jusqu’au": format_day(chosen.until) if chosen.until else "",
        "Formation": school.programmes.get(chosen.programme, chosen.programme),
        "Campagne": chosen.campaign,
        "Source": chosen.source,
        "Accord": AGREEMENTS[chosen.consent] if chosen.consent else "",
    }
    return [(heading, value) for heading, value in said.items() if value]


def typed(submission: Submission, school: School) -> list[tuple[str, str]]:
    """Heading and text of each answer that isn't empty."""
    return _filled(_TYPED, submission, school)


def came(submission: Submission, school: School) -> list[tuple[str, str]]:
    return _filled(_CAME, submission, school)


def _filled(keys: tuple[str, ...], row: Submission, school: School) -> list[tuple[str, str]]:
    writing = Writing(dialect=ExcelFr(), school=school)
    rows = {column.key: (getattr(row, column.key),) for column in Submission.__table__.columns}
    # Not guarded against formulas: no spreadsheet reads this.
    cells = [(_BY_KEY[key].heading, *_BY_KEY[key].cells(rows, writing)) for key in keys]
    return [(heading, text) for heading, text in cells if text]
