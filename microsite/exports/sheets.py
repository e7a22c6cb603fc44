"""What an export holds: which rows, in which order, under which columns, and what each row is read from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Enum, ScalarSelect, Select, String, and_, func, or_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ..leads.filters import LeadFilter
from ..leads.matching import WALK, asked_of_leads, narrowest, submission_conditions
from ..leads.models import HELD, Consent, FormName, Lead, Submission
from ..open_days.models import Registration
from .columns import CALL_COLUMNS, COLUMNS, WRITE_COLUMNS, Column
from .models import ExportKind

EMAIL, PHONE = "email", "phone"
# Of a submission, what no column of an export is read from.
_UNREAD = ("id", "lead_id", "form_nonce", "answers_digest", "export_batch")


def _as_kept(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A member of an enum as its text: it is written, not compared, and making a million members takes its time."""
    return type_coerce(column, String) if isinstance(column.type, Enum) else column


_READ = {
    column.key: _as_kept(column).label(column.key)
    for column in Submission.__table__.columns
    if column.key not in _UNREAD
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """`ids` finds the rows, which `rows` reads by `key`."""

    columns: tuple[Column, ...]
    ids: Select[int]
    rows: Select[Any]
    key: InstrumentedAttribute[int]
    is_latest_first: bool = False

    def statement(self) -> Select[Any]:
        """Return all rows in order, as one statement: whatever is committed while it is read doesn't change them."""
        order = self.key.desc() if self.is_latest_first else self.key
        # SQLAlchemy would take the inner table for the outer one.
        return self.rows.where(self.key.in_(self.ids.correlate(None))).order_by(order)


def submissions_sheet(*conditions: ColumnElement[bool]) -> Sheet:
    """One row a submission, in the order in which they came."""
    ids = select(Submission.id).where(*conditions)
    return Sheet(columns=COLUMNS, ids=ids, rows=submission_rows(), key=Submission.id)


def fewest_leads(session: Session, chosen: LeadFilter) -> Select[int] | None:
    """Those of whom something asked for is true, if that are few (leads/matching.py)."""
    if chosen.is_of_submissions:
        return None
    fewest, count = narrowest(session, asked_of_leads(chosen))
    return fewest.ids if fewest is not None and count < WALK else None


def sheet_of(kind: ExportKind, chosen: LeadFilter, few: Select[int] | None) -> Sheet:
    """What a filter means, as submissions or as people; `few` is fewest_leads()."""
    return _view_sheet(chosen, few) if kind is ExportKind.VIEW else _people_sheet(kind, chosen, few)


def new_sheet(after: Mapping[FormName, int], *, upto: int) -> Sheet:
    """Submissions of these forms, each those that came after its batch, up to a batch."""
    new = (and_(Submission.form == form, Submission.export_batch > batch) for form, batch in after.items())
    return submissions_sheet(or_(*new), Submission.export_batch <= upto)


def _view_sheet(chosen: LeadFilter, few: Select[int] | None) -> Sheet:
    """The submissions of those whom a list shows, the very ones that were asked for."""
    among = [] if few is None else [Submission.lead_id.in_(few)]
    sheet = submissions_sheet(*among, *submission_conditions(chosen))
    if few is None:
        return sheet
    return replace(sheet, ids=sheet.ids.with_hint(Submission, "INDEXED BY ix_submissions_lead_id", "sqlite"))


def _people_sheet(kind: ExportKind, chosen: LeadFilter, few: Select[int] | None) -> Sheet:
    """One row a person, whoever came last first; what is held back isn't anybody's yet."""
    asked = asked_of_leads(replace(chosen, state=None) if chosen.is_of_submissions else chosen)
    channel, columns = (PHONE, CALL_COLUMNS) if kind is ExportKind.CALL else (EMAIL, WRITE_COLUMNS)
    among = [] if few is None else [Lead.id.in_(few)]
    ids = select(Lead.id).where(*among, *(one.condition for one in asked), agreed_to(channel))
    # Few are looked up, many walked through.
    ids = ids.with_hint(Lead, "NOT INDEXED", "sqlite")
    return Sheet(columns=columns, ids=ids, rows=person_rows(channel), key=Lead.id, is_latest_first=True)


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
    """Select a row per lead who consents to this channel: last submission, last number given, time of consent."""
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
    )


def agreed_to(channel: str) -> ColumnElement[bool]:
    """Of a lead whose consent stands, and who is somebody who can be reached that way."""
    own = _by_lead(select(Consent.id)).where(Consent.lead_id == Lead.id, *_standing(channel))
    agreed = own.exists(), Lead.is_sample.is_(False)
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
    return (
        _by_lead(select(func.min(moment)))
        .where(*own, Consent.channel == channel)
        .correlate(Submission)
        .scalar_subquery()
    )


def _of_person(moment: InstrumentedAttribute[Any], channel: str) -> ScalarSelect[Any]:
    standing = (Consent.lead_id == Lead.id, *_standing(channel))
    return _by_lead(select(func.min(moment))).where(*standing).correlate(Lead).scalar_subquery()


def _by_lead(consents: Select[Any]) -> Select[Any]:
    # Without this hint SQLite scans all consents to the channel once per row.
    return consents.with_hint(Consent, "INDEXED BY ix_consents_lead_id", "sqlite")


def _standing(channel: str) -> tuple[ColumnElement[bool], ...]:
    return Consent.channel == channel, Consent.withdrawn_at.is_(None)
