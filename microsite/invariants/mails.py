"""What holds of mails: one for each cause, none for what has none.

A mail in any state does: sent, not delivered, waiting, refused for good, beyond what one address is sent, given up.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, String, and_, cast, exists, func, or_, select

from ..applications.services import MAIL as APPLICATION
from ..brochures.services import MAIL as BROCHURE
from ..leads.consents import CONFIRMATION, EMAIL
from ..leads.models import HELD, Consent, ConsentOrigin, FormName, Lead, Submission
from ..leads.notifications import EACH
from ..open_days.followups import ANNOUNCED
from ..open_days.models import Alert, Registration, RegistrationState, Slot
from ..open_days.seats import OFFERED
from ..open_days.services import ACCEPTED, PROMISED, REGISTERED
from ..outbox.models import Audience, MailStatus, OutgoingMail
from ..outbox.services import MAX_ATTEMPTS
from ..privacy.models import PrivacyRequest
from ..privacy.requests import NOTED, TOLD
from .facts import Fact, Scope, before_mails, count_of, every
from .reminders import reminder_facts
from .told import notification_facts

# Decided with a form, under its own reference; samples come with such mails already sent.
_AT_ONCE = (BROCHURE, APPLICATION, REGISTERED, PROMISED, CONFIRMATION)
_OFFER_STATES = (RegistrationState.OFFERED, RegistrationState.EXPIRED)


def mail_facts(scope: Scope) -> Sequence[Fact]:
    return (*_cause_facts(scope), *reminder_facts(scope), *notification_facts(scope), *_own_facts())


def _cause_facts(scope: Scope) -> Sequence[Fact]:
    unconfirmed, offers, taken = _unconfirmed(scope), _offers(scope), _taken_offers(scope)
    told = select(Alert.id).where(Alert.told_at >= scope.mails_since)
    asked = select(PrivacyRequest.id).where(
        PrivacyRequest.asked_at >= scope.mails_since, PrivacyRequest.lead_id.is_not(None)
    )
    return (
        _of_form("une demande de brochure a son message", scope, FormName.BROCHURE, (BROCHURE,)),
        _of_form("une candidature a son message", scope, FormName.APPLICATION, (APPLICATION,)),
        _of_form("une demande de portes ouvertes a son message", scope, FormName.OPEN_DAY, (REGISTERED, PROMISED)),
        _caused(
            "un accord par e-mail qui reste à confirmer a son message",
            "accord",
            unconfirmed,
            # Who was asked the day before isn't asked again.
            missing=~_about(CONFIRMATION, Consent.lead_id),
            is_before=before_mails(Consent.given_at, scope),
        ),
        Fact(
            name="une place proposée a son message",
            of="inscription",
            seen=count_of(offers),
            broken=offers.where(~_decided(OFFERED, Submission.reference)),
        ),
        Fact(
            name="une place acceptée a son message",
            of="inscription",
            seen=count_of(taken),
            broken=taken.where(~_decided(REGISTERED, Submission.reference + ACCEPTED)),
        ),
        _caused(
            "qui a été prévenu d’une date a son message",
            "alerte",
            told,
            missing=~_about(ANNOUNCED, Alert.lead_id),
            is_before=before_mails(Alert.told_at, scope),
        ),
        Fact(
            name="une demande sur ses données a ses deux messages",
            of="demande sur les données",
            seen=count_of(asked),
            broken=asked.where(~and_(*(_decided(name, cast(PrivacyRequest.id, String)) for name in (TOLD, NOTED)))),
        ),
    )


def _own_facts() -> Sequence[Fact]:
    mails, is_sent = every(OutgoingMail), OutgoingMail.status.in_((MailStatus.SENT, MailStatus.BOUNCED))
    pending = OutgoingMail.status == MailStatus.PENDING
    return (
        Fact(
            name="une cause n’a qu’un message",
            of="message",
            seen=mails,
            broken=select(func.min(OutgoingMail.id))
            .group_by(OutgoingMail.template, OutgoingMail.cause)
            .having(func.count() > 1),
        ),
        Fact(
            name="une demande retenue n’a pas de message",
            of="demande",
            seen=count_of(select(Submission.id).where(Submission.status.in_(HELD))),
            broken=select(Submission.reference).where(Submission.status.in_(HELD), _is_any_decided()),
        ),
        Fact(
            name="un message parle à la personne qui l’a causé",
            of="message",
            seen=mails,
            broken=select(OutgoingMail.id)
            .join(Submission, Submission.reference == OutgoingMail.cause)
            .where(OutgoingMail.template.in_((*_AT_ONCE, EACH)))
            .where(OutgoingMail.lead_id.is_distinct_from(Submission.lead_id)),
        ),
        Fact(
            name="un message à envoyer a encore son destinataire",
            of="message",
            seen=count_of(select(OutgoingMail.id).where(pending)),
            broken=select(OutgoingMail.id)
            .outerjoin(Lead, Lead.id == OutgoingMail.lead_id)
            .where(pending, OutgoingMail.audience == Audience.LEAD, Lead.id.is_(None)),
        ),
        Fact(
            name="un message envoyé a son heure, et lui seul",
            of="message",
            seen=mails,
            broken=select(OutgoingMail.id).where(is_sent == OutgoingMail.sent_at.is_(None)),
        ),
        Fact(
            name=f"un message n’est tenté que {MAX_ATTEMPTS} fois",
            of="message",
            seen=mails,
            broken=select(OutgoingMail.id).where(~OutgoingMail.attempts.between(0, MAX_ATTEMPTS)),
        ),
        Fact(
            name="personne n’est écrit au nom d’un exemple",
            of="message",
            seen=count_of(_about_samples()),
            broken=_about_samples().where(is_sent, ~_is_invented()),
        ),
    )


def _of_form(name: str, scope: Scope, form: FormName, templates: Sequence[str]) -> Fact:
    # Whoever comes unregistered is written down at the door, by no form: they are sent nothing.
    is_by_form = Submission.landing_path != ""
    counts = (Submission.form == form, Submission.submitted_at >= scope.mails_since, Submission.lead_id.is_not(None))
    caused = select(Submission.reference).where(*counts, is_by_form)
    missing = and_(*(~_decided(template, Submission.reference) for template in templates))
    return _caused(name, "demande", caused, missing=missing, is_before=before_mails(Submission.submitted_at, scope))


def _caused(
    name: str, of: str, caused: Select[Any], *, missing: ColumnElement[bool], is_before: ColumnElement[bool]
) -> Fact:
    """What causes a mail has it, unless it came before mails were decided: then nothing tells."""
    return Fact(
        name=name,
        of=of,
        seen=count_of(caused),
        broken=caused.where(missing, ~is_before),
        unknowable=caused.where(missing, is_before),
    )


def _unconfirmed(scope: Scope) -> Select[int]:
    return (
        select(Consent.id)
        .where(Consent.channel == EMAIL, Consent.origin == ConsentOrigin.FORM, Consent.lead_id.is_not(None))
        .where(Consent.confirmed_at.is_(None), Consent.withdrawn_at.is_(None), Consent.given_at >= scope.mails_since)
    )


def _offers(scope: Scope) -> Select[int]:
    made = Registration.state.in_(_OFFER_STATES), Registration.offered_until >= scope.mails_since
    return select(Registration.id).join(Registration.submission).where(*made)


def _taken_offers(scope: Scope) -> Select[int]:
    """Before the day itself, when an arrival that is taken back leaves a seat nobody accepted."""
    confirmed = Registration.state == RegistrationState.CONFIRMED, _decided(OFFERED, Submission.reference)
    taken = select(Registration.id).join(Registration.submission).join(Registration.slot)
    return taken.where(
        *confirmed, Slot.starts_at > scope.now + timedelta(days=1), Registration.created_at >= scope.mails_since
    )


def _about_samples() -> Select[int]:
    return select(OutgoingMail.id).join(Lead, Lead.id == OutgoingMail.lead_id).where(Lead.is_sample)


def _is_invented() -> ColumnElement[bool]:
    """It came with a sample, as one that had left at that moment."""
    own = Submission.reference == OutgoingMail.cause, Submission.is_sample
    return and_(
        OutgoingMail.template.in_(_AT_ONCE),
        exists().where(*own, Submission.submitted_at == OutgoingMail.decided_at),
    )


def _is_any_decided() -> ColumnElement[bool]:
    return or_(*(_decided(template, Submission.reference) for template in (*_AT_ONCE, OFFERED, EACH)))


def _decided(template: str, cause: SQLColumnExpression[str]) -> ColumnElement[bool]:
    return exists().where(OutgoingMail.template == template, OutgoingMail.cause == cause)


def _about(template: str, lead_id: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    own = OutgoingMail.lead_id == lead_id, OutgoingMail.audience == Audience.LEAD
    return exists().where(*own, OutgoingMail.template == template)
