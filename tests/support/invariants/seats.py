"""Invariants of open days: seats, waiting lists, alerts of new dates."""

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from microsite.leads.models import FormName, Lead, Submission
from microsite.open_days.models import OVER, SEATED, Alert, Registration, RegistrationState, Slot
from microsite.open_days.services import ALERT_EMAIL
from microsite.outbox.models import OutgoingMail

from .scope import Invariants, Scope

_WAITING, _OFFERED = RegistrationState.WAITING, RegistrationState.OFFERED
_PARTY = 1 + Registration.companions
_TAKEN = (
    select(func.coalesce(func.sum(_PARTY), 0))
    .where(Registration.slot_id == Slot.id, Registration.state.in_(SEATED))
    .correlate(Slot)
    .scalar_subquery()
)


def seat_invariants(scope: Scope) -> Invariants:
    to_come = and_(Slot.starts_at > scope.now, Slot.cancelled_at.is_(None))
    waiting = select(Registration.id).join(Registration.slot).where(Registration.state == _WAITING, to_come)
    offered = select(Registration.id).join(Registration.slot).where(Registration.state == _OFFERED, to_come)
    return {
        # A capacity lowered below what was taken drops nobody: those seats stay, and nobody gets one beside them.
        "a slot has no more seats taken than it has": select(Slot.id).where(
            case((Slot.seats_kept > Slot.capacity, Slot.seats_kept), else_=Slot.capacity) < _TAKEN
        ),
        # pass_on() runs at the end of whatever frees seats.
        "nobody waits for a free seat": waiting.where(Slot.capacity - _TAKEN >= _PARTY),
        "the waiting list is served in its order": _passed_over(scope),
        "an offered seat has a deadline before its slot": offered.where(
            or_(Registration.offered_until.is_(None), Registration.offered_until > Slot.starts_at)
        ),
        "a lead has one active registration a slot": select(func.min(Registration.id))
        .where(Registration.state.not_in(OVER))
        .group_by(Registration.lead_id, Registration.slot_id)
        .having(func.count() > 1),
        "a registration has its submission's lead and slot": _of_another_request(),
        "a submission for a slot has a registration, or an alert": _wanting_a_slot(scope).where(
            ~_has_registration(), ~_was_promised()
        ),
        "a cancelled slot has no active registration": select(Slot.id).where(
            Slot.cancelled_at.is_not(None), _is_any_active()
        ),
        "an attendee has a time of arrival": select(Registration.id).where(
            Registration.state == RegistrationState.ATTENDED, Registration.checked_in_at.is_(None)
        ),
        "an alert is its submission's lead's": select(Alert.id)
        .join(Alert.submission)
        .where(or_(Alert.lead_id.is_distinct_from(Submission.lead_id), Submission.form != FormName.OPEN_DAY)),
    }


def _passed_over(scope: Scope) -> Select[int]:
    """Select who waits while a party no smaller than theirs that registered later has its seats.

    Parties that were changed later don't count, for they may rightly have been passed over while they were larger; nor
    do people who came unregistered, who get what is left on the day.
    """
    unchanged = and_(
        Lead.last_contact_at <= Registration.created_at,
        Registration.companions == Submission.answers["companions"].as_integer(),
        Registration.is_walk_in.is_(False),
    )
    party = case((and_(Registration.state.in_(SEATED), unchanged), _PARTY))
    larger = func.max(party).over(partition_by=Registration.slot_id, order_by=Registration.id.desc(), rows=(None, -1))
    queue = (
        select(Registration.id, Registration.state, _PARTY.label("party"), unchanged.label("unchanged"))
        .add_columns(larger.label("later"))
        .join(Registration.slot)
        .join(Submission, Submission.id == Registration.submission_id)
        .join(Lead, Lead.id == Registration.lead_id)
        .where(Slot.starts_at > scope.now, Slot.cancelled_at.is_(None))
        .subquery()
    )
    return select(queue.c.id).where(queue.c.state == _WAITING, queue.c.unchanged, queue.c.later >= queue.c.party)


def _of_another_request() -> Select[int]:
    wanted = Submission.answers["slot_id"].as_integer()
    differs = or_(
        Registration.lead_id.is_distinct_from(Submission.lead_id),
        Registration.slot_id.is_distinct_from(wanted),
        Submission.form != FormName.OPEN_DAY,
    )
    return select(Registration.id).join(Registration.submission).where(differs)


def _wanting_a_slot(scope: Scope) -> Select[str]:
    """Of slots to come (what is over may have been deleted), and since mails are known."""
    return (
        select(Submission.reference)
        .join(Slot, Slot.id == Submission.answers["slot_id"].as_integer())
        .where(Submission.form == FormName.OPEN_DAY, Submission.lead_id.is_not(None), Slot.starts_at > scope.now)
        .where(Submission.submitted_at >= scope.mails_since)
    )


def _has_registration() -> ColumnElement[bool]:
    own = aliased(Registration)
    return select(own.id).where(own.lead_id == Submission.lead_id, own.slot_id == Slot.id).exists()


def _was_promised() -> ColumnElement[bool]:
    """Released when its slot was full or closed: an alert instead, or the mail that announced one since withdrawn."""
    promised = OutgoingMail.template == ALERT_EMAIL.name, OutgoingMail.cause == Submission.reference
    waits = select(Alert.id).where(Alert.submission_id == Submission.id)
    return or_(select(OutgoingMail.id).where(*promised).exists(), waits.exists())


def _is_any_active() -> ColumnElement[bool]:
    active = Registration.slot_id == Slot.id, Registration.state.not_in(OVER)
    return select(Registration.id).where(*active).exists()
