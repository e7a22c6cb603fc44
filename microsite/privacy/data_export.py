"""Export all that is held about one person, as JSON with names in French (RGPD, articles 15 and 20)."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from ..brochures.models import BrochureDownload
from ..db import Base
from ..formatters import PARIS
from ..leads.models import (
    Consent,
    ConsentOrigin,
    ConsentWording,
    FormName,
    Lead,
    LeadWord,
    Submission,
    SubmissionStatus,
)
from ..leads.normalise import email_key
from ..leads.queries import find_held, find_lead
from ..open_days.models import Alert, OpenDay, Registration, RegistrationState, Slot
from ..outbox.models import STATUS_LABELS, Audience, MailStatus, OutgoingMail
from ..school import School
from .data_requests import find_access_requests
from .models import AccessRequest, PrivacyRequest, RequestKind
from .personal_data import PERSONAL

# By part, rows of fields.
PersonExport = dict[str, list[dict[str, Any]]]

# What was agreed to; what a registration is for.
_WORDING = (
    ConsentWording.text.label("texte"),
    ConsentWording.version.label("version"),
    ConsentWording.purpose.label("finalité"),
)
_SLOT = (
    OpenDay.title.label("journée"),
    OpenDay.place.label("lieu"),
    Slot.starts_at.label("début"),
    Slot.ends_at.label("fin"),
)
# No lead's id.
_NOBODY = 0
# By kind, for several share their values.
_LABELS: Mapping[type[StrEnum], Mapping[str, str]] = {
    FormName: {"brochure": "brochure", "open-day": "portes ouvertes", "application": "candidature"},
    SubmissionStatus: {
        "received": "reçue",
        "quarantined": "en quarantaine : semble venir d’un robot",
        "released": "reçue, après vérification",
        "spam": "écartée comme indésirable",
    },
    ConsentOrigin: {"form": "formulaire", "space": "espace personnel"},
    RegistrationState: {
        "confirmed": "confirmée",
        "waiting": "en liste d’attente",
        "offered": "place proposée",
        "cancelled": "annulée",
        "expired": "proposition restée sans réponse",
        "attended": "présence notée",
    },
    MailStatus: {status.value: label for status, label in STATUS_LABELS.items()},
    Audience: {"lead": "vous", "admissions": "l’équipe des admissions"},
    RequestKind: {"copy": "copie des données", "erasure": "effacement"},
}


def _column_names() -> Mapping[str, Mapping[str, str]]:
    names: dict[str, dict[str, str]] = {}
    for data in PERSONAL:
        names.setdefault(data.place, {}).update({column: name for column, name in data.columns.items() if name})
    return {table: columns for table, columns in names.items() if columns}


# What the columns of each table, and the answers of forms, are called.
COLUMN_NAMES = _column_names()
ANSWER_NAMES = {key: name for data in PERSONAL for key, name in data.keys.items()}


def export_person(session: Session, address: str) -> PersonExport:
    """Return the rows of each part; every part is empty for an unknown address."""
    lead, held = find_lead(session, address), find_held(session, address)
    lead_id = lead.id if lead else _NOBODY
    own = select(Submission.id).where((Submission.lead_id == lead_id) | Submission.id.in_(held))
    asked = [request.id for request in find_access_requests(session, {email_key(address)})]
    consents = select(Consent.__table__, *_WORDING).select_from(Consent).join(Consent.wording)
    registrations = (
        select(Registration.__table__, *_SLOT).select_from(Registration).join(Registration.slot).join(Slot.open_day)
    )
    return {
        "fiche": _rows(session, Lead, Lead.id == lead_id),
        "mots_de_recherche": _rows(session, LeadWord, LeadWord.lead_id == lead_id),
        "demandes": _rows(session, Submission, Submission.lead_id == lead_id),
        "envois_retenus": _rows(session, Submission, Submission.id.in_(held)),
        "accords": _rows(session, Consent, (Consent.lead_id == lead_id) | Consent.submission_id.in_(held), consents),
        "inscriptions": _rows(session, Registration, Registration.lead_id == lead_id, registrations),
        "alertes": _rows(session, Alert, Alert.lead_id == lead_id),
        "ouvertures_de_la_brochure": _rows(session, BrochureDownload, BrochureDownload.submission_id.in_(own)),
        "messages": _rows(session, OutgoingMail, OutgoingMail.lead_id == lead_id),
        "demandes_sur_les_données": _rows(session, PrivacyRequest, PrivacyRequest.lead_id == lead_id),
        "liens_demandés": _rows(session, AccessRequest, AccessRequest.id.in_(asked)),
    }


def count_rows(export: PersonExport) -> dict[str, int]:
    """Return how many rows there are of each part that isn't empty, by its name in words."""
    return {part.replace("_", " "): len(rows) for part, rows in export.items() if rows}


def write_json(
    export: PersonExport, consultations: Sequence[Mapping[str, Any]], *, school: School, site_url: str, now: datetime
) -> str:
    """Write what is handed over.

    `consultations` are those by the team, by role (CJUE, C-579/21: when and why, not who by name). Purposes, recipients
    and retention periods, which a copy comes with (RGPD, article 15.1), stand on the site's page.
    """
    heading = {
        "titre": "Copie des données personnelles (RGPD, articles 15 et 20)",
        "établie_le": _value(now),
        "responsable": school.name,
        "contact": school.mail.admissions,
        "finalités_durées_et_droits": f"{site_url}/confidentialite",
    }
    rows = [{name: _value(value) for name, value in row.items()} for row in consultations]
    return json.dumps({"document": heading, **export, "consultations": rows}, ensure_ascii=False, indent=2) + "\n"


def _rows(
    session: Session, model: type[Base], chosen: ColumnElement[bool], rows: Select[Any] | None = None
) -> list[dict[str, Any]]:
    """Return the model's chosen rows under their French names; `rows` selects more columns beside its own."""
    table = Base.metadata.tables[model.__tablename__]
    names, rows = COLUMN_NAMES[table.name], select(table) if rows is None else rows
    found = session.execute(rows.where(chosen).order_by(*table.primary_key.columns))
    return [{names.get(column, column): _value(value) for column, value in row._mapping.items()} for row in found]


def _value(value: Any) -> Any:
    """Return it as JSON has it: times in Paris, with their offset; codes as words."""
    if isinstance(value, datetime):
        return value.astimezone(PARIS).isoformat(timespec="seconds")
    if isinstance(value, StrEnum):
        return _LABELS[type(value)][value]
    if isinstance(value, dict):
        return {ANSWER_NAMES.get(key, key): _value(answer) for key, answer in value.items()}
    return value
