"""Pages of leads, and of what is held back: by keyset, so that the thousandth costs what the first does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..db import LARGEST_ID
from .filters import LeadFilter, Sort
from .matching import WALK, asked_of_leads, count_up_to, narrowest, submission_conditions
from .models import Lead, Submission
from .words import NAME_KEY_LIMIT

PAGE = 50
# Beyond, a list says « plus de ».
COUNTED = 1000
_DIGITS = len(str(LARGEST_ID))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253_402_300_799_000_000
_COLUMNS: dict[Sort, InstrumentedAttribute[Any]] = {
    Sort.CONTACT: Lead.last_contact_at,
    Sort.ARRIVAL: Lead.created_at,
    Sort.NAME: Lead.name_key,
}
_INDEXES = {
    Sort.CONTACT: "ix_leads_last_contact_at_id_created_at",
    Sort.ARRIVAL: "ix_leads_created_at_id_last_contact_at",
    Sort.NAME: "ix_leads_name_key_id",
}

Row = TypeVar("Row", Lead, Submission)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The place beside a row, by what rows are sorted by and its id: after it, or before."""

    value: datetime | str
    id: int
    is_backward: bool = False

    def __str__(self) -> str:
        value = self.value
        text = str((value - _EPOCH) // timedelta(microseconds=1)) if isinstance(value, datetime) else value
        return f"{self.id}~{text}"


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """`total` ends at COUNTED + 1, which means more; None: nobody has counted."""

    rows: list[Row]
    before: Cursor | None
    after: Cursor | None
    total: int | None


def cursor_from(args: Mapping[str, str], chosen: LeadFilter) -> Cursor | None:
    """The place that an address says, `apres` or `avant`; None, hence the first page, where it makes no sense."""
    is_backward = "avant" in args
    number, _, text = args.get("avant" if is_backward else "apres", "").partition("~")
    if not (number.isascii() and number.isdigit()) or len(number) > _DIGITS or int(number) > LARGEST_ID:
        return None
    if chosen.sort is Sort.NAME and not chosen.is_of_submissions:
        value: datetime | str = "".join(filter(str.isprintable, text))[:NAME_KEY_LIMIT]
    elif text.isascii() and text.isdigit() and int(text[:20]) <= _LATEST:
        value = _EPOCH + timedelta(microseconds=int(text[:20]))
    else:
        return None
    return Cursor(value=value, id=int(number), is_backward=is_backward)


def list_leads(session: Session, chosen: LeadFilter, cursor: Cursor | None) -> Page[Lead]:
    leads, is_countable = _leads(session, chosen)
    rows, has_more = _fetch(session, leads, _COLUMNS[chosen.sort], chosen, cursor)
    total = count_up_to(session, leads.with_only_columns(Lead.id), COUNTED + 1) if is_countable else None
    return _page(rows, _COLUMNS[chosen.sort], cursor, has_more=has_more, total=total)


def count_leads(session: Session, chosen: LeadFilter) -> int:
    """How many the list shows, up to COUNTED + 1; so many as well where counting would take too long."""
    leads, is_countable = _leads(session, chosen)
    return count_up_to(session, leads.with_only_columns(Lead.id), COUNTED + 1) if is_countable else COUNTED + 1


def _leads(session: Session, chosen: LeadFilter) -> tuple[Select[Lead], bool]:
    """In no order yet; and whether they are quickly counted."""
    asked = asked_of_leads(chosen)
    fewest, count = narrowest(session, asked)
    is_gathered = fewest is not None and count < WALK
    conditions = [one.condition for one in asked if not (is_gathered and one is fewest)]
    if is_gathered and fewest is not None and fewest.ids is not None:
        conditions.append(Lead.id.in_(fewest.ids))
    hint = "NOT INDEXED" if is_gathered else f"INDEXED BY {_INDEXES[chosen.sort]}"
    return select(Lead).where(*conditions).with_hint(Lead, hint, "sqlite"), is_gathered or not asked


def list_held(session: Session, chosen: LeadFilter, cursor: Cursor | None) -> Page[Submission]:
    """What is in quarantine, or was said to be spam, by when it was sent."""
    held = select(Submission).where(*submission_conditions(chosen))
    rows, has_more = _fetch(session, held, Submission.submitted_at, chosen, cursor)
    total = count_held(session, chosen)
    return _page(rows, Submission.submitted_at, cursor, has_more=has_more, total=total)


def count_held(session: Session, chosen: LeadFilter) -> int:
    """As count_leads()."""
    return count_up_to(session, select(Submission.id).where(*submission_conditions(chosen)), COUNTED + 1)


def _fetch(
    session: Session,
    rows: Select[Row],
    column: InstrumentedAttribute[Any],
    chosen: LeadFilter,
    cursor: Cursor | None,
) -> tuple[list[Row], bool]:
    """At most PAGE rows in the list's order, and whether there are more in the direction that was taken."""
    key = column.class_.id
    # Names begin with A, times with the latest.
    is_falling = (column is not Lead.name_key) is not chosen.is_reversed
    is_backward = cursor is not None and cursor.is_backward
    if cursor is not None:
        rows = rows.where(_beyond(column, key, cursor, is_falling=is_falling is not is_backward))
    order = (column.desc(), key.desc()) if is_falling is not is_backward else (column.asc(), key.asc())
    found = list(session.scalars(rows.order_by(*order).limit(PAGE + 1)))
    page = found[:PAGE]
    return (page[::-1] if is_backward else page), len(found) > PAGE


def _beyond(
    column: InstrumentedAttribute[Any], key: InstrumentedAttribute[int], cursor: Cursor, *, is_falling: bool
) -> ColumnElement[bool]:
    here, there = tuple_(column, key), tuple_(literal(cursor.value, column.type), literal(cursor.id))
    return here < there if is_falling else here > there


def _page(
    rows: list[Row], column: InstrumentedAttribute[Any], cursor: Cursor | None, *, has_more: bool, total: int | None
) -> Page[Row]:
    is_backward = cursor is not None and cursor.is_backward
    has_before = has_more if is_backward else cursor is not None
    has_after = is_backward or has_more
    if cursor is None and not has_more:
        total = len(rows)
    return Page(
        rows=rows,
        before=_beside(rows[0], column, is_backward=True) if rows and has_before else None,
        after=_beside(rows[-1], column, is_backward=False) if rows and has_after else None,
        total=total,
    )


def _beside(row: Lead | Submission, column: InstrumentedAttribute[Any], *, is_backward: bool) -> Cursor:
    return Cursor(value=getattr(row, column.key), id=row.id, is_backward=is_backward)
