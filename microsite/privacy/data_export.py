"""All that is held about one person, as they are given it: readable, and for a program (RGPD, articles 15 and 20)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from ..brochures.models import BrochureDownload
from ..db import Base
from ..leads.models import Consent, ConsentWording, Lead, LeadWord, Submission
from ..leads.normalise import email_key
from ..leads.queries import find_held, find_lead
from ..open_days.models import Alert, OpenDay, Registration, Slot
from ..outbox.models import OutgoingMail
from ..school import PARIS, School
from .models import AccessRequest, PrivacyRequest
from .portrait_fields import ANSWERS, FIELDS, WORDS

Portrait = dict[str, Any]

# No lead's id.
NOBODY = 0

# What its parts are called, in order.
LEAD, WORDS_KEPT, SENT, HELD_BACK = "fiche", "mots_de_recherche", "demandes", "envois_retenus"
CONSENTS, REGISTRATIONS, ALERTS, OPENED = "accords", "inscriptions", "alertes", "ouvertures_de_la_brochure"
MAILS, REQUESTS, LINKS, LOOKS = "messages", "demandes_sur_les_données", "liens_demandés", "consultations"
PARTS = (LEAD, WORDS_KEPT, SENT, HELD_BACK, CONSENTS, REGISTRATIONS, ALERTS, OPENED, MAILS, REQUESTS, LINKS)


def draw(session: Session, address: str) -> Portrait:
    """By part, rows of fields; every part empty for an address that nothing is known of."""
    lead, held = find_lead(session, address), find_held(session, address)
    lead_id = lead.id if lead else NOBODY
    theirs = select(Submission.id).where((Submission.lead_id == lead_id) | Submission.id.in_(held))
    return {
        LEAD: _rows(session, Lead, Lead.id == lead_id),
        WORDS_KEPT: _rows(session, LeadWord, LeadWord.lead_id == lead_id),
        SENT: _rows(session, Submission, Submission.lead_id == lead_id),
        HELD_BACK: _rows(session, Submission, Submission.id.in_(held)),
        CONSENTS: _consents(session, (Consent.lead_id == lead_id) | Consent.submission_id.in_(held)),
        REGISTRATIONS: _registrations(session, Registration.lead_id == lead_id),
        ALERTS: _rows(session, Alert, Alert.lead_id == lead_id),
        OPENED: _rows(session, BrochureDownload, BrochureDownload.submission_id.in_(theirs)),
        MAILS: _rows(session, OutgoingMail, OutgoingMail.lead_id == lead_id),
        REQUESTS: _rows(session, PrivacyRequest, PrivacyRequest.lead_id == lead_id),
        LINKS: _rows(session, AccessRequest, AccessRequest.id.in_(_asked_ids(session, address))),
    }


def is_anything(portrait: Portrait) -> bool:
    return any(portrait[part] for part in PARTS)


def part_counts(portrait: Portrait) -> dict[str, int]:
    """How many rows there are of each part that isn't empty, by its name in words."""
    return {part.replace("_", " "): len(portrait[part]) for part in PARTS if portrait[part]}


def as_document(
    portrait: Portrait, looks: Sequence[Mapping[str, Any]], *, school: School, site: str, now: datetime
) -> Portrait:
    """What is handed over; `looks` are those of the team, by role (CJUE, C-579/21: when and why, not who by name).

    `site` is where it is: purposes, recipients and delays, which a copy comes with (RGPD, article 15.1), stand there.
    """
    heading = {
        "titre": "Copie des données personnelles (RGPD, articles 15 et 20)",
        "établie_le": _plain(now),
        "responsable": school.name,
        "contact": school.mail.admissions,
        "finalités_durées_et_droits": f"{site}/confidentialite",
    }
    return {"document": heading, **portrait, LOOKS: [_plain_row(look) for look in looks]}


def _rows(session: Session, model: type[Base], chosen: ColumnElement[bool]) -> list[dict[str, Any]]:
    table = Base.metadata.tables[model.__tablename__]
    rows = session.execute(select(table).where(chosen).order_by(*table.primary_key.columns))
    return [_named(table.name, row) for row in rows]


def _consents(session: Session, chosen: ColumnElement[bool]) -> list[dict[str, Any]]:
    """With the words that were agreed to."""
    columns = ConsentWording.text, ConsentWording.version, ConsentWording.purpose
    words = select(Consent.__table__, *columns).join(ConsentWording, ConsentWording.id == Consent.wording_id)
    rows = session.execute(words.where(chosen).order_by(Consent.id))
    return [
        _named("consents", row) | {"texte": row.text, "version": row.version, "finalité": row.purpose} for row in rows
    ]


def _registrations(session: Session, chosen: ColumnElement[bool]) -> list[dict[str, Any]]:
    """With what it was for."""
    columns = Slot.starts_at, Slot.ends_at, OpenDay.title, OpenDay.place
    slots = select(Registration.__table__, *columns).join(Slot, Slot.id == Registration.slot_id).join(Slot.open_day)
    rows = session.execute(slots.where(chosen).order_by(Registration.id))
    return [
        _named("registrations", row)
        | {"journée": row.title, "lieu": row.place, "début": _plain(row.starts_at), "fin": _plain(row.ends_at)}
        for row in rows
    ]


def _asked_ids(session: Session, address: str) -> list[int]:
    rows = session.execute(select(AccessRequest.id, AccessRequest.email))
    return [row_id for row_id, email in rows if email_key(email) == email_key(address)]


def _named(table: str, row: Row[Any]) -> dict[str, Any]:
    names = FIELDS[table]
    values = row._mapping
    return {name: _plain(values[column]) for column, name in names.items() if column in values}


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """As JSON has it: times in Paris, with their offset; codes as words."""
    if isinstance(value, datetime):
        return value.astimezone(PARIS).isoformat(timespec="seconds")
    if isinstance(value, StrEnum):
        return WORDS[type(value)][value]
    if isinstance(value, dict):
        return {ANSWERS.get(name, name): _plain(answer) for name, answer in value.items()}
    return value
