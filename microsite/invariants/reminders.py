"""What the clock promises: once a slot's reminders or thanks are decided, everybody concerned has theirs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import InstrumentedAttribute

from ..leads.models import Submission
from ..open_days.followups import EARLY_REMINDER, LATE_REMINDER, THANKS, TOO_LATE
from ..open_days.models import OpenDay, Registration, RegistrationState, Slot
from ..open_days.seats import OFFERED
from ..outbox.models import Audience, OutgoingMail
from .facts import Fact, Scope, count_of

# Clocks of several servers differ by less.
_GRACE = timedelta(minutes=1)

Decided = InstrumentedAttribute[datetime | None]


def reminder_facts(scope: Scope) -> Sequence[Fact]:
    return (
        _fact("un inscrit a son rappel de l’avant-veille", EARLY_REMINDER, Slot.early_reminder_at, scope),
        _fact("un inscrit a son rappel du jour même", LATE_REMINDER, Slot.late_reminder_at, scope),
        _fact("qui est venu a son remerciement", THANKS, Slot.thanked_at, scope),
    )


def _fact(name: str, template: str, decided: Decided, scope: Scope) -> Fact:
    # Sample days come with all of theirs decided, and nobody to be told.
    due = select(Slot).join(Slot.open_day).where(OpenDay.is_sample.is_(False), decided >= scope.mails_since)
    return Fact(
        name=name,
        of="créneau",
        seen=count_of(due.with_only_columns(Slot.id)),
        broken=_search(due, template, decided),
    )


def _search(due: Select[Slot], template: str, decided: Decided) -> Callable[[Session], Iterable[int]]:
    def search(session: Session) -> Iterator[int]:
        for slot in session.scalars(due.order_by(Slot.id)).all():
            at: datetime = getattr(slot, decided.key)
            # So near the beginning the early one is left to the late one.
            if template != EARLY_REMINDER or slot.starts_at - at > TOO_LATE:
                yield from session.scalars(_untold(slot, template, at))

    return search


def _untold(slot: Slot, template: str, at: datetime) -> Select[int]:
    of_theirs = OutgoingMail.lead_id == Registration.lead_id, OutgoingMail.audience == Audience.LEAD
    told = exists().where(
        *of_theirs, OutgoingMail.template == template, OutgoingMail.cause.startswith(Submission.reference + ".")
    )
    entries = select(Registration.id).join(Registration.submission).where(Registration.slot_id == slot.id, ~told)
    if template == THANKS:
        return entries.where(Registration.state == RegistrationState.ATTENDED, Registration.checked_in_at < at - _GRACE)
    # Who was offered their seat may still have waited then.
    waited = exists().where(OutgoingMail.template == OFFERED, OutgoingMail.cause == Submission.reference)
    was_expected = Registration.state == RegistrationState.CONFIRMED, Registration.created_at < at - _GRACE
    return entries.where(*was_expected, ~waited)
