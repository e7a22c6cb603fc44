"""Invariants of mails: one for each cause, none for what has none, in whatever state."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, String, and_, cast, exists, func, or_, select

from microsite.applications.services import MAIL as APPLICATION
from microsite.brochures.services import MAIL as BROCHURE
from microsite.leads.consents import CONFIRMATION, EMAIL
from microsite.leads.models import HELD, Consent, ConsentOrigin, FormName, Lead, Submission
from microsite.leads.notifications import EACH
from microsite.open_days.followups import ANNOUNCED
from microsite.open_days.models import Alert, Registration, RegistrationState, Slot
from microsite.open_days.seats import OFFERED
from microsite.open_days.services import ACCEPTED, PROMISED, REGISTERED
from microsite.outbox.models import Audience, MailStatus, OutgoingMail
from microsite.outbox.services import MAX_ATTEMPTS
from microsite.privacy.data_requests import NOTED, TOLD
from microsite.privacy.models import PrivacyRequest

from .notifications import notification_invariants
from .reminders import reminder_invariants
from .scope import Invariants, Scope

# Decided with a form, their cause its reference; samples come with such mails already sent.
_AT_ONCE = (BROCHURE, APPLICATION, REGISTERED, PROMISED, CONFIRMATION)
_OFFER_STATES = (RegistrationState.OFFERED, RegistrationState.EXPIRED)


def mail_invariants(scope: Scope) -> Invariants:
    return {
        **_cause_invariants(scope),
        **reminder_invariants(scope),
        **notification_invariants(scope),
        **_mail_invariants(),
    }


def _cause_invariants(scope: Scope) -> Invariants:
    announced = select(Alert.id).where(Alert.told_at >= scope.mails_since)
    asked = select(PrivacyRequest.id).where(
        PrivacyRequest.asked_at >= scope.mails_since, PrivacyRequest.lead_id.is_not(None)
    )
    both = and_(*(_decided(template, cast(PrivacyRequest.id, String)) for template in (TOLD, NOTED)))
    return {
        "a brochure request has its mail": _sent_by(FormName.BROCHURE, scope).where(~_own(BROCHURE)),
        "an application has its mail": _sent_by(FormName.APPLICATION, scope).where(~_own(APPLICATION)),
        "an open-day form has its mail": _sent_by(FormName.OPEN_DAY, scope).where(~_own(REGISTERED), ~_own(PROMISED)),
        # Somebody who was asked the day before isn't asked again.
        "an unconfirmed consent to e-mails has its mail": _unconfirmed(scope).where(
            ~_about(CONFIRMATION, Consent.lead_id)
        ),
        "an offered seat has its mail": _offers(scope).where(~_own(OFFERED)),
        "an accepted seat has its mail": _taken_offers(scope).where(
            ~_decided(REGISTERED, Submission.reference + ACCEPTED)
        ),
        "an answered alert has its mail": announced.where(~_about(ANNOUNCED, Alert.lead_id)),
        "a data request has its two mails": asked.where(~both),
    }


def _mail_invariants() -> Invariants:
    is_sent = OutgoingMail.status.in_((MailStatus.SENT, MailStatus.BOUNCED))
    pending = OutgoingMail.status == MailStatus.PENDING
    return {
        "a cause has one mail a template": select(func.min(OutgoingMail.id))
        .group_by(OutgoingMail.template, OutgoingMail.cause)
        .having(func.count() > 1),
        "a held submission has no mail": select(Submission.reference).where(
            Submission.status.in_(HELD), or_(*(_own(template) for template in (*_AT_ONCE, OFFERED, EACH)))
        ),
        "a mail is about its submission's lead": select(OutgoingMail.id)
        .join(Submission, Submission.reference == OutgoingMail.cause)
        .where(OutgoingMail.template.in_((*_AT_ONCE, EACH)))
        .where(OutgoingMail.lead_id.is_distinct_from(Submission.lead_id)),
        "a pending mail still has its recipient": select(OutgoingMail.id)
        .outerjoin(Lead, Lead.id == OutgoingMail.lead_id)
        .where(pending, OutgoingMail.audience == Audience.LEAD, Lead.id.is_(None)),
        "sent mails alone have a time of sending": select(OutgoingMail.id).where(
            is_sent == OutgoingMail.sent_at.is_(None)
        ),
        "a mail is tried no more often than allowed": select(OutgoingMail.id).where(
            ~OutgoingMail.attempts.between(0, MAX_ATTEMPTS)
        ),
        "nothing is sent about a sample": _about_samples().where(is_sent, ~_is_invented()),
    }


def _sent_by(form: FormName, scope: Scope) -> Select[str]:
    # Staff register those who come unregistered, by no form: they are sent nothing.
    is_by_form = Submission.landing_path != ""
    counts = Submission.submitted_at >= scope.mails_since, Submission.lead_id.is_not(None)
    return select(Submission.reference).where(Submission.form == form, *counts, is_by_form)


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
    """Until the day before the slot: on the day an arrival that is taken back leaves a seat that nobody accepted."""
    confirmed = Registration.state == RegistrationState.CONFIRMED, _own(OFFERED)
    taken = select(Registration.id).join(Registration.submission).join(Registration.slot)
    return taken.where(
        *confirmed, Slot.starts_at > scope.now + timedelta(days=1), Registration.created_at >= scope.mails_since
    )


def _about_samples() -> Select[int]:
    return select(OutgoingMail.id).join(Lead, Lead.id == OutgoingMail.lead_id).where(Lead.is_sample)


def _is_invented() -> ColumnElement[bool]:
    """It came with a sample, as if sent at that moment."""
    own = Submission.reference == OutgoingMail.cause, Submission.is_sample
    return and_(
        OutgoingMail.template.in_(_AT_ONCE),
        exists().where(*own, Submission.submitted_at == OutgoingMail.decided_at),
    )


def _own(template: str) -> ColumnElement[bool]:
    return _decided(template, Submission.reference)


def _decided(template: str, cause: SQLColumnExpression[str]) -> ColumnElement[bool]:
    return exists().where(OutgoingMail.template == template, OutgoingMail.cause == cause)


def _about(template: str, lead_id: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    own = OutgoingMail.lead_id == lead_id, OutgoingMail.audience == Audience.LEAD
    return exists().where(*own, OutgoingMail.template == template)
