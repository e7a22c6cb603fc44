"""What an export holds: which rows, in which order, under which columns."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..leads.filters import LeadFilter
from ..leads.matching import WALK, asked_of_leads, narrowest, submission_conditions
from ..leads.models import FormName, Lead, Submission
from .columns import CALL_COLUMNS, COLUMNS, WRITE_COLUMNS, Column
from .models import ExportKind
from .rows import EMAIL, PHONE, agreed_to, person_rows, submission_rows


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """`ids` finds the rows, in order; `rows` reads them, by `key`."""

    columns: tuple[Column, ...]
    ids: Select[int]
    rows: Select[Any]
    key: InstrumentedAttribute[int]
    is_latest_first: bool = False

    def some_rows(self) -> Select[Any]:
        """Those of the parameter `ids`: a statement that is made once for all batches."""
        order = self.key.desc() if self.is_latest_first else self.key
        return self.rows.where(self.key.in_(bindparam("ids", expanding=True))).order_by(order)


def submissions_sheet(*conditions: ColumnElement[bool]) -> Sheet:
    """One row a submission, in the order in which they came."""
    ids = select(Submission.id).where(*conditions).order_by(Submission.id)
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


def new_sheet(form: FormName, *, after: int, upto: int) -> Sheet:
    """What of this form came in these waves, the first excluded."""
    return submissions_sheet(Submission.form == form, Submission.wave > after, Submission.wave <= upto)


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
    ids = ids.with_hint(Lead, "NOT INDEXED", "sqlite").order_by(Lead.id.desc())
    return Sheet(columns=columns, ids=ids, rows=person_rows(channel), key=Lead.id, is_latest_first=True)
