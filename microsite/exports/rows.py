"""What a row of each export is read from: submissions, or the people behind them."""

from typing import Any

from sqlalchemy import ColumnElement, Enum, ScalarSelect, Select, String, and_, exists, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, aliased

from ..leads.models import HELD, Consent, Lead, Submission
from ..open_days.models import Registration

EMAIL, PHONE = "email", "phone"
# Of a submission, what no column of an export is read from.
_UNREAD = ("id", "lead_id", "form_nonce", "answers_digest", "wave")


def _as_kept(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A member of an enum as its text: it is written, not compared, and making a million members takes its time."""
    return type_coerce(column, String) if isinstance(column.type, Enum) else column


_READ = {
    column.key: _as_kept(column).label(column.key)
    for column in Submission.__table__.columns
    if column.key not in _UNREAD
}


def submission_rows() -> Select[Any]:
    """One a submission. Consents are those that stand: given with it or, by its lead, on the personal page since.

    One that was withdrawn isn't one any more: its columns are empty.
    """
    by_email, by_phone = aliased(Consent), aliased(Consent)
    return (
        select(
            *_READ.values(),
            func.coalesce(by_email.given_at, _own(Consent.given_at, "email")).label("email_consent_at"),
            func.coalesce(by_email.confirmed_at, _own(Consent.confirmed_at, "email")).label(
                "email_consent_confirmed_at"
            ),
            func.coalesce(by_phone.given_at, _own(Consent.given_at, "phone")).label("phone_consent_at"),
            _as_kept(Registration.__table__.c.state).label("registration"),
            Registration.checked_in_at,
            Registration.is_walk_in,
        )
        .outerjoin(by_email, _stands(by_email, "email"))
        .outerjoin(by_phone, _stands(by_phone, "phone"))
        .outerjoin(Registration, Registration.id == _registration_id())
    )


def person_rows(channel: str) -> Select[Any]:
    """One for whoever agreed to be reached so: what they sent last, the last number they gave, and when they agreed."""
    own = aliased(Submission)
    last = select(func.max(own.id)).where(own.lead_id == Lead.id, own.status.not_in(HELD)).correlate(Lead)
    return (
        select(
            *(column for key, column in _READ.items() if key != "phone"),
            func.coalesce(Submission.phone, Lead.phone).label("phone"),
            _of_person(Consent.given_at, channel).label("agreed_at"),
            _of_person(Consent.confirmed_at, channel).label("email_consent_confirmed_at"),
        )
        .select_from(Lead)
        .join(Submission, Submission.id == last.scalar_subquery())
        # Asked again for each batch: some withdraw while the file is written.
        .where(agreed_to(channel))
    )


def agreed_to(channel: str) -> ColumnElement[bool]:
    """Of a lead whose consent stands, and who is somebody who can be reached that way."""
    agreed = exists().where(Consent.lead_id == Lead.id, *_standing(channel)), Lead.is_sample.is_(False)
    return and_(*agreed, Lead.phone.is_not(None)) if channel == PHONE else and_(*agreed)


def _registration_id() -> ColumnElement[int]:
    """The registration that a submission led to; else, for a form sent again, its lead's last one in that slot.

    Looked for in this order: engines evaluate COALESCE no further than they need, and most submissions have their own.
    """
    own, any_of_the_lead = aliased(Registration), aliased(Registration)
    by_submission = select(own.id).where(own.submission_id == Submission.id)
    in_its_slot = and_(
        any_of_the_lead.lead_id == Submission.lead_id,
        any_of_the_lead.slot_id == Submission.answers["slot_id"].as_integer(),
    )
    last = select(func.max(any_of_the_lead.id)).where(in_its_slot)
    return func.coalesce(by_submission.scalar_subquery(), last.scalar_subquery())


def _stands(consent: type[Consent], channel: str) -> ColumnElement[bool]:
    return and_(consent.submission_id == Submission.id, consent.channel == channel, consent.withdrawn_at.is_(None))


def _own(moment: InstrumentedAttribute[Any], channel: str) -> ScalarSelect[Any]:
    """When this submission's lead gave (or confirmed) what belongs to no submission."""
    own = (Consent.lead_id == Submission.lead_id, Consent.submission_id.is_(None), Consent.withdrawn_at.is_(None))
    return _earliest(moment).where(*own, Consent.channel == channel).correlate(Submission).scalar_subquery()


def _of_person(moment: InstrumentedAttribute[Any], channel: str) -> ScalarSelect[Any]:
    standing = (Consent.lead_id == Lead.id, *_standing(channel))
    return _earliest(moment).where(*standing).correlate(Lead).scalar_subquery()


def _earliest(moment: InstrumentedAttribute[Any]) -> Select[Any]:
    # By the lead: SQLite would else go through everybody's consents to this channel, for each row anew.
    return select(func.min(moment)).with_hint(Consent, "INDEXED BY ix_consents_lead_id", "sqlite")


def _standing(channel: str) -> tuple[ColumnElement[bool], ...]:
    return Consent.channel == channel, Consent.withdrawn_at.is_(None)
