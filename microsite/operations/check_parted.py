"""What ops check tells of leads that migration 0015 parted: rows whose owner nothing tells, as long as they stand."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from ..leads.consents import EMAIL
from ..leads.models import Consent, ConsentOrigin, Lead
from ..open_days.models import Registration, RegistrationState, Slot
from ..privacy.models import PrivacyRequest

# Contacts that a line names.
_NAMED = 10
_GIVEN = (
    "accord donné sur « Mon espace » par l’un ou par l’autre, on ne sait lequel ; n’en usez qu’une fois que la "
    "personne l’y a retiré et donné de nouveau"
)
_CONFIRMED = (
    "accord par e-mail confirmé par l’un ou par l’autre, on ne sait lequel ; n’en usez qu’une fois que la personne l’a "
    "retiré et donné de nouveau sur « Mon espace »"
)
_ASKED = (
    "demande sur les données faite par l’un ou par l’autre ; assurez-vous de qui elle vient avant d’y répondre "
    "(/admissions/demandes-donnees)"
)
_WAITING = "inscription qu’ils croyaient acquise, maintenant en liste d’attente ; prévenez-les (/admissions/contacts/…)"


def parted_findings(session: Session, *, now: datetime) -> Iterator[str]:
    for rows, what in ((_given(), _GIVEN), (_confirmed(), _CONFIRMED), (_asked(), _ASKED), (_waiting(now), _WAITING)):
        if lead_ids := session.scalars(rows.distinct().order_by(Lead.id)).all():
            yield f"Contacts séparés à la mise à jour, {_named(lead_ids)} : {what}"


def _given() -> Select[int]:
    given = select(Lead.id).join(Consent, Consent.lead_id == Lead.id)
    return given.where(
        Consent.origin == ConsentOrigin.SPACE, Consent.given_at <= Lead.parted_at, Consent.withdrawn_at.is_(None)
    )


def _confirmed() -> Select[int]:
    """Select who has a consent that was confirmed when another one of the same lead had sent a form: either may have.

    Not if that one's own consent to the same words, given before, wasn't confirmed with it or has been withdrawn.
    """
    other, owner = aliased(Consent), aliased(Lead)
    shared = owner.parted_at == Lead.parted_at, owner.id != Lead.id, owner.created_at <= Consent.confirmed_at
    settled = select(other.id).where(
        other.lead_id == owner.id,
        other.wording_id == Consent.wording_id,
        other.given_at <= Consent.confirmed_at,
        or_(other.withdrawn_at.is_not(None), other.confirmed_at.is_distinct_from(Consent.confirmed_at)),
    )
    return (
        select(Lead.id)
        .join(Consent, Consent.lead_id == Lead.id)
        .join(owner, and_(*shared))
        .where(Consent.origin == ConsentOrigin.FORM, Consent.channel == EMAIL)
        .where(Consent.confirmed_at <= Lead.parted_at, Consent.withdrawn_at.is_(None), ~settled.exists())
    )


def _asked() -> Select[int]:
    asked = select(Lead.id).join(PrivacyRequest, PrivacyRequest.lead_id == Lead.id)
    return asked.where(PrivacyRequest.done_at.is_(None), PrivacyRequest.asked_at <= Lead.parted_at)


def _waiting(now: datetime) -> Select[int]:
    waiting = select(Lead.id).join(Registration, Registration.lead_id == Lead.id).join(Registration.slot)
    return waiting.where(
        Registration.state == RegistrationState.WAITING,
        Registration.created_at == Lead.parted_at,
        Slot.starts_at > now,
        Slot.cancelled_at.is_(None),
    )


def _named(lead_ids: Sequence[int]) -> str:
    rest = len(lead_ids) - _NAMED
    named = ", ".join(f"n° {lead_id}" for lead_id in lead_ids[:_NAMED])
    return f"{named} et {rest} autres" if rest > 0 else named
