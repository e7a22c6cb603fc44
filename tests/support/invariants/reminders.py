"""Invariants of scheduled mails: once a slot's reminders or thanks are decided, everybody concerned has theirs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import InstrumentedAttribute

from microsite.leads.models import Submission
from microsite.open_days.followups import LATE_REMINDER_EMAIL, REMINDER_EMAIL, THANKS_EMAIL, TOO_LATE
from microsite.open_days.models import OpenDay, Registration, RegistrationState, Slot
from microsite.open_days.seats import OFFER_EMAIL
from microsite.outbox.emails import Email
from microsite.outbox.models import Audience, OutgoingMail

from .scope import Invariants, Scope, Search

# Clocks of several servers differ by less.
_GRACE = timedelta(minutes=1)

Decided = InstrumentedAttribute[datetime | None]


def reminder_invariants(scope: Scope) -> Invariants:
    return {
        "everybody registered has their early reminder": _search(REMINDER_EMAIL, Slot.early_reminder_at, scope),
        "everybody registered has their late reminder": _search(LATE_REMINDER_EMAIL, Slot.late_reminder_at, scope),
        "everybody who came has their thanks": _search(THANKS_EMAIL, Slot.thanked_at, scope),
    }


def _search(email: Email, decided: Decided, scope: Scope) -> Search:
    # Sample days come with all of theirs decided, and nobody to write to.
    due = select(Slot).join(Slot.open_day).where(OpenDay.is_sample.is_(False), decided >= scope.mails_since)

    def search(session: Session) -> Iterator[int]:
        for slot in session.scalars(due.order_by(Slot.id)).all():
            at: datetime = getattr(slot, decided.key)
            # So near the beginning the early one is left to the late one.
            if email != REMINDER_EMAIL or slot.starts_at - at > TOO_LATE:
                yield from session.scalars(_without_mail(slot, email, at))

    return search


def _without_mail(slot: Slot, email: Email, at: datetime) -> Select[int]:
    of_theirs = OutgoingMail.lead_id == Registration.lead_id, OutgoingMail.audience == Audience.LEAD
    mailed = exists().where(
        *of_theirs, OutgoingMail.template == email.name, OutgoingMail.cause.startswith(Submission.reference + ".")
    )
    entries = select(Registration.id).join(Registration.submission).where(Registration.slot_id == slot.id, ~mailed)
    if email == THANKS_EMAIL:
        return entries.where(Registration.state == RegistrationState.ATTENDED, Registration.checked_in_at < at - _GRACE)
    # Whoever was offered their seat may still have been waiting then.
    waited = exists().where(OutgoingMail.template == OFFER_EMAIL.name, OutgoingMail.cause == Submission.reference)
    was_expected = Registration.state == RegistrationState.CONFIRMED, Registration.created_at < at - _GRACE
    return entries.where(*was_expected, ~waited)
