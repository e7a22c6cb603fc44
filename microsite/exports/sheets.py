"""What an export holds: which rows, in which order, under which columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..leads.filters import LeadFilter
from ..leads.matching import WALK, Asked, asked_of_leads, narrowest, submission_conditions
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

    def rows_of(self, ids: Sequence[int]) -> Select[Any]:
        order = self.key.desc() if self.is_latest_first else self.key
        return self.rows.where(self.key.in_(ids)).order_by(order)


def submissions_sheet(*conditions: ColumnElement[bool]) -> Sheet:
    """One row a submission, in the order in which they came."""
    ids = select(Submission.id).where(*conditions).order_by(Submission.id)
    return Sheet(columns=COLUMNS, ids=ids, rows=submission_rows(), key=Submission.id)


def view_sheet(session: Session, chosen: LeadFilter) -> Sheet:
    """The submissions of those whom a list shows, the very ones that were asked for."""
    few = [] if chosen.is_of_submissions else _narrowed(session, asked_of_leads(chosen), Submission.lead_id)
    return submissions_sheet(*few, *submission_conditions(chosen))


def new_sheet(form: FormName, *, after: int, upto: int) -> Sheet:
    """What of this form came in these waves, the first excluded."""
    return submissions_sheet(Submission.form == form, Submission.wave > after, Submission.wave <= upto)


def people_sheet(session: Session, kind: ExportKind, chosen: LeadFilter) -> Sheet:
    """One row a person, whoever came last first; what is held back isn't anybody's yet."""
    asked = asked_of_leads(replace(chosen, state=None) if chosen.is_of_submissions else chosen)
    channel, columns = (PHONE, CALL_COLUMNS) if kind is ExportKind.CALL else (EMAIL, WRITE_COLUMNS)
    conditions = [*_narrowed(session, asked, Lead.id), *(one.condition for one in asked), agreed_to(channel)]
    ids = select(Lead.id).where(*conditions).order_by(Lead.id.desc())
    return Sheet(columns=columns, ids=ids, rows=person_rows(channel), key=Lead.id, is_latest_first=True)


def _narrowed(session: Session, asked: list[Asked], lead_id: InstrumentedAttribute[Any]) -> list[ColumnElement[bool]]:
    """Where something is true of few, those are looked for first (leads/matching.py)."""
    fewest, count = narrowest(session, asked)
    return [lead_id.in_(fewest.ids)] if fewest is not None and fewest.ids is not None and count < WALK else []
