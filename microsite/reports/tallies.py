"""What the report adds up, counted by the database: grouped by what is asked for and nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, String, and_, column, func, select, values
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..campaigns.models import VIEW_LIMIT, ViewCount
from ..db import UTCDateTime
from ..leads.models import FormName, Submission
from ..school import day_begins, day_ends
from .outcomes import count_opened, count_seated
from .questions import Axis, Question, campaign_name

_Columns = Mapping[Axis, InstrumentedAttribute[Any] | ColumnElement[Any]]
_SEEN: _Columns = {
    Axis.CAMPAIGN: ViewCount.campaign,
    Axis.SOURCE: ViewCount.source,
    Axis.ARTICLE: ViewCount.article,
    Axis.DAY: ViewCount.day,
}
_SENT: _Columns = {
    Axis.CAMPAIGN: Submission.utm_campaign,
    Axis.SOURCE: Submission.utm_source,
    Axis.ARTICLE: Submission.article,
}


def count_views(session: Session, question: Question, axis: Axis) -> Iterator[tuple[str, str, int]]:
    """Key along the axis, page, and how often it was seen; a key may come more than once."""
    columns = _asked(_SEEN, question, axis)
    keys = [*columns.values(), ViewCount.page]
    counted: Select[Any] = select(*keys, func.sum(ViewCount.count))
    counted = counted.where(ViewCount.day.between(question.since, question.until)).group_by(*keys)
    for *found, page, count in session.execute(counted):
        keyed = _keyed(columns, found)
        if _passes(keyed, question):
            yield keyed.get(axis, ""), page, int(count)


def count_submissions(
    session: Session, question: Question, axis: Axis
) -> Iterator[tuple[str, FormName, int, int, int]]:
    """Key along the axis, form; submissions, those whose brochure was opened, those that hold a seat."""
    days = _days(question) if axis is Axis.DAY else None
    columns = _asked(_SENT if days is None else {Axis.DAY: days.c.day, **_SENT}, question, axis)
    keys = [*columns.values(), Submission.form]
    counted: Select[Any] = select(*keys, func.count(), count_opened(), count_seated())
    selection = question.period.selection
    if days is not None:
        # Each day looks its own submissions up, by their index; told of the period too, SQLite goes the other way
        # round, and compares each submission with every day.
        selection = replace(selection, since=None, until=None)
        begun, ended = Submission.submitted_at >= days.c.begins, Submission.submitted_at < days.c.ends
        counted = counted.select_from(days).join(Submission, and_(begun, ended))
        counted = counted.with_hint(Submission, "INDEXED BY ix_submissions_submitted_at", "sqlite")
    counted = counted.where(*selection.conditions()).group_by(*keys)
    for *found, form, submissions, downloads, registrations in session.execute(counted):
        keyed = _keyed(columns, found)
        if _passes(keyed, question):
            yield keyed.get(axis, ""), form, submissions, int(downloads), int(registrations)


def _asked(columns: _Columns, question: Question, axis: Axis) -> _Columns:
    """The axis's own, and those that are filtered by."""
    return {key: value for key, value in columns.items() if key is axis or key in question.filters}


def _keyed(columns: _Columns, found: list[Any]) -> dict[Axis, str]:
    return {axis: _key(axis, value) for axis, value in zip(columns, found, strict=True)}


def _key(axis: Axis, value: Any) -> str:
    """As long as a view's, and campaigns whatever their case: so that views and submissions meet."""
    if axis is Axis.DAY:
        return str(value)
    return campaign_name(value) if axis is Axis.CAMPAIGN else value[:VIEW_LIMIT]


def _passes(keyed: dict[Axis, str], question: Question) -> bool:
    return all(keyed[axis] == value for axis, value in question.filters.items())


def _days(question: Question) -> CTE:
    """Each day with its first moment and the next one's: 23 or 25 hours apart when clocks change, hence written out."""
    rows = [(day.isoformat(), day_begins(day), day_ends(day)) for day in question.days()]
    moments = column("begins", UTCDateTime), column("ends", UTCDateTime)
    return values(column("day", String), *moments, name="days").data(rows).cte("days")
