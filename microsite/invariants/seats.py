"""What holds of open days: seats, waiting lists, who asked to be told of new dates."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from ..leads.models import FormName, Lead, Submission
from ..open_days.models import OVER, SEATED, Alert, Registration, RegistrationState, Slot
from ..open_days.services import PROMISED
from ..outbox.models import OutgoingMail
from .facts import Fact, Scope, before_mails, count_of, every

_WAITING, _OFFERED = RegistrationState.WAITING, RegistrationState.OFFERED
_PARTY = 1 + Registration.companions
_TAKEN = (
    select(func.coalesce(func.sum(_PARTY), 0))
    .where(Registration.slot_id == Slot.id, Registration.state.in_(SEATED))
    .correlate(Slot)
    .scalar_subquery()
)


def seat_facts(scope: Scope) -> Sequence[Fact]:
    to_come = and_(Slot.starts_at > scope.now, Slot.cancelled_at.is_(None))
    slots, entries = every(Slot), every(Registration)
    waiting = select(Registration.id).join(Registration.slot).where(Registration.state == _WAITING, to_come)
    is_before = before_mails(Submission.submitted_at, scope)
    return (
        # A capacity lowered below what was taken drops nobody: those seats stay, and nobody gets one beside them.
        Fact(
            name="un créneau n’a pas plus d’inscrits que de places",
            of="créneau",
            seen=slots,
            broken=select(Slot.id).where(
                case((Slot.seats_kept > Slot.capacity, Slot.seats_kept), else_=Slot.capacity) < _TAKEN
            ),
        ),
        # pass_on() runs at the end of whatever frees seats.
        Fact(
            name="personne n’attend une place libre",
            of="inscription",
            seen=count_of(waiting),
            broken=waiting.where(Slot.capacity - _TAKEN >= _PARTY),
        ),
        Fact(
            name="la liste d’attente est servie dans l’ordre",
            of="inscription",
            seen=count_of(waiting),
            broken=_passed_over(scope),
        ),
        Fact(
            name="une place proposée a une échéance avant le début",
            of="inscription",
            seen=count_of(select(Registration.id).where(Registration.state == _OFFERED)),
            broken=select(Registration.id)
            .join(Registration.slot)
            .where(Registration.state == _OFFERED, to_come)
            .where(or_(Registration.offered_until.is_(None), Registration.offered_until > Slot.starts_at)),
        ),
        Fact(
            name="un contact n’a qu’une inscription qui tient par créneau",
            of="inscription",
            seen=entries,
            broken=select(func.min(Registration.id))
            .where(Registration.state.not_in(OVER))
            .group_by(Registration.lead_id, Registration.slot_id)
            .having(func.count() > 1),
        ),
        Fact(
            name="une inscription est celle de sa demande : contact, créneau",
            of="inscription",
            seen=entries,
            broken=_of_another_request(),
        ),
        Fact(
            name="une demande de créneau a une inscription, ou sera prévenue",
            of="demande",
            seen=count_of(_wanting_a_slot(scope)),
            broken=_wanting_a_slot(scope).where(~_has_registration(), ~_was_promised(), ~is_before),
            unknowable=_wanting_a_slot(scope).where(~_has_registration(), ~_was_promised(), is_before),
        ),
        Fact(
            name="un créneau annulé n’a plus d’inscrits",
            of="créneau",
            seen=count_of(select(Slot.id).where(Slot.cancelled_at.is_not(None))),
            broken=select(Slot.id).where(Slot.cancelled_at.is_not(None), _is_any_active()),
        ),
        Fact(
            name="une arrivée a son heure",
            of="inscription",
            seen=count_of(select(Registration.id).where(Registration.state == RegistrationState.ATTENDED)),
            broken=select(Registration.id).where(
                Registration.state == RegistrationState.ATTENDED, Registration.checked_in_at.is_(None)
            ),
        ),
        Fact(
            name="qui attend une date l’a demandé lui-même",
            of="alerte",
            seen=every(Alert),
            broken=select(Alert.id)
            .join(Alert.submission)
            .where(or_(Alert.lead_id.is_distinct_from(Submission.lead_id), Submission.form != FormName.OPEN_DAY)),
        ),
    )


def _passed_over(scope: Scope) -> Select[int]:
    """Who waits behind nobody, and sees a party no smaller than theirs seated that came later.

    Looked for among those who haven't been heard of since: a party that has grown or shrunk may well have been passed
    by then. Who came unregistered takes what is left at the door.
    """
    unchanged = and_(
        Lead.last_contact_at <= Registration.created_at,
        Registration.companions == Submission.answers["companions"].as_integer(),
        Registration.is_walk_in.is_(False),
    )
    party = case((and_(Registration.state.in_(SEATED), unchanged), _PARTY))
    larger = func.max(party).over(partition_by=Registration.slot_id, order_by=Registration.id.desc(), rows=(None, -1))
    line = (
        select(Registration.id, Registration.state, _PARTY.label("party"), unchanged.label("unchanged"))
        .add_columns(larger.label("later"))
        .join(Registration.slot)
        .join(Submission, Submission.id == Registration.submission_id)
        .join(Lead, Lead.id == Registration.lead_id)
        .where(Slot.starts_at > scope.now, Slot.cancelled_at.is_(None))
        .subquery()
    )
    return select(line.c.id).where(line.c.state == _WAITING, line.c.unchanged, line.c.later >= line.c.party)


def _of_another_request() -> Select[int]:
    wanted = Submission.answers["slot_id"].as_integer()
    differs = or_(
        Registration.lead_id.is_distinct_from(Submission.lead_id),
        Registration.slot_id.is_distinct_from(wanted),
        Submission.form != FormName.OPEN_DAY,
    )
    return select(Registration.id).join(Registration.submission).where(differs)


def _wanting_a_slot(scope: Scope) -> Select[str]:
    """Of slots to come: what is over may have been deleted."""
    return (
        select(Submission.reference)
        .join(Slot, Slot.id == Submission.answers["slot_id"].as_integer())
        .where(Submission.form == FormName.OPEN_DAY, Submission.lead_id.is_not(None), Slot.starts_at > scope.now)
    )


def _has_registration() -> ColumnElement[bool]:
    own = aliased(Registration)
    return select(own.id).where(own.lead_id == Submission.lead_id, own.slot_id == Slot.id).exists()


def _was_promised() -> ColumnElement[bool]:
    """Released when its slot was full or closed: they are to be told, or were told so and have taken it back since."""
    promised = OutgoingMail.template == PROMISED, OutgoingMail.cause == Submission.reference
    waits = select(Alert.id).where(Alert.submission_id == Submission.id)
    return or_(select(OutgoingMail.id).where(*promised).exists(), waits.exists())


def _is_any_active() -> ColumnElement[bool]:
    active = Registration.slot_id == Slot.id, Registration.state.not_in(OVER)
    return select(Registration.id).where(*active).exists()
