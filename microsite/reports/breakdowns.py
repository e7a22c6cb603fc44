"""The same counts along one axis: by campaign, source, form, article or day, of a period, with filters."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, extract, func, null, select
from sqlalchemy.orm import Session

from ..brochures.models import BrochureDownload
from ..campaigns.attribution import tidy
from ..campaigns.models import VIEW_LIMIT, ViewCount
from ..campaigns.pages import ARTICLE, LINK
from ..campaigns.queries import list_campaigns
from ..leads.models import FormName, Submission
from ..leads.queries import Selection
from ..open_days.models import Registration, RegistrationState
from ..school import PARIS
from .campaigns import Period, campaign_name
from .counts import Counts

_HOUR = 3600
_SEATED = (RegistrationState.CONFIRMED, RegistrationState.ATTENDED)


class Axis(StrEnum):
    CAMPAIGN = "campaign"
    SOURCE = "source"
    FORM = "form"
    ARTICLE = "article"
    DAY = "day"


@dataclass(frozen=True, kw_only=True)
class Question:
    """Days in Paris, both included; a filter that is None lets everything through."""

    since: date
    until: date
    campaign: str | None = None
    source: str | None = None
    form: FormName | None = None
    article: str | None = None

    @property
    def period(self) -> Period:
        selection = Selection(form=self.form, since=_begins(self.since), until=_begins(self.until + timedelta(days=1)))
        return Period(since=self.since, until=self.until, selection=selection)

    @property
    def filters(self) -> dict[Axis, str]:
        """What a row's keys must be; the form is chosen before."""
        asked = {
            Axis.CAMPAIGN: self.campaign and campaign_name(tidy("utm_campaign", self.campaign)),
            Axis.SOURCE: self.source and tidy("utm_source", self.source)[:VIEW_LIMIT],
            Axis.ARTICLE: self.article and self.article[:VIEW_LIMIT],
        }
        return {axis: value for axis, value in asked.items() if value}

    def days(self) -> Iterator[date]:
        for number in range((self.until - self.since).days + 1):
            yield self.since + timedelta(days=number)


@dataclass(frozen=True, kw_only=True)
class Line(Counts):
    """`key` is a campaign, a source, a form's name, an article's slug or an ISO day; empty for none.

    `registrations` are the submissions that hold a seat, or came. A form's lines repeat the links and the article's
    views, which belong to no form.
    """

    key: str
    registrations: int


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """`total` isn't the lines' sum where they repeat something."""

    lines: list[Line]
    total: Line


@dataclass(kw_only=True)
class _Sums:
    views: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    submissions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    downloads: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    registrations: int = 0

    def line(self, key: str, forms: tuple[FormName, ...]) -> Line:
        return Line(
            key=key,
            links=self.views[LINK],
            views=self.views[ARTICLE],
            form_views=sum(self.views[form] for form in forms),
            submissions=sum(self.submissions[form] for form in forms),
            downloads=sum(self.downloads[form] for form in forms),
            requests=sum(self.submissions[form] for form in forms if form is FormName.BROCHURE),
            registrations=self.registrations if FormName.OPEN_DAY in forms else 0,
        )


def break_down(session: Session, question: Question, axis: Axis) -> Breakdown:
    """What came most first; by day, each day in turn. Planned campaigns of the period have their line of zeros."""
    forms = (question.form,) if question.form else tuple(FormName)
    total, by_key = _Sums(), defaultdict[str, _Sums](_Sums)
    for keys, page, count in _views(session, question, axis):
        for sums in (total, by_key[keys.get(axis, "")]):
            sums.views[page] += count
    for keys, form, submissions, downloads, registrations in _submissions(session, question, axis):
        for sums in (total, by_key[keys.get(axis, "")]):
            sums.submissions[form] += submissions
            sums.downloads[form] += downloads
            sums.registrations += registrations
    if axis is Axis.FORM:
        lines = [total.line(form, (form,)) for form in forms]
    elif axis is Axis.DAY:
        lines = [by_key[day.isoformat()].line(day.isoformat(), forms) for day in question.days()]
    else:
        for code in _planned(session, question) if axis is Axis.CAMPAIGN else ():
            by_key[code]
        lines = sorted((sums.line(key, forms) for key, sums in by_key.items()), key=_most_first)
    return Breakdown(lines=lines, total=total.line("", forms))


def _most_first(line: Line) -> tuple[Any, ...]:
    return -line.submissions, -line.form_views, -line.views, not line.key, line.key


def _planned(session: Session, question: Question) -> Iterator[str]:
    asked = question.filters
    for campaign in list_campaigns(session):
        # One that is planned for another source isn't to be expected from the one that is asked for.
        keys = {Axis.CAMPAIGN: campaign.code, Axis.SOURCE: campaign.source[:VIEW_LIMIT]}
        is_asked_for = all(asked.get(axis, key) == key for axis, key in keys.items())
        if is_asked_for and question.period.touches(campaign):
            yield campaign.code


def _views(session: Session, question: Question, axis: Axis) -> Iterator[tuple[dict[Axis, str], str, int]]:
    columns: list[Any] = [ViewCount.campaign, ViewCount.source, ViewCount.article, ViewCount.page]
    columns.append(ViewCount.day if axis is Axis.DAY else null())
    counted: Select[Any] = select(*columns, func.sum(ViewCount.count)).where(
        ViewCount.day.between(question.since, question.until)
    )
    for campaign, source, article, page, day, count in session.execute(counted.group_by(*columns[: _grouped(axis)])):
        keys = _keys(campaign, source, article, day.isoformat() if day else "")
        if _passes(keys, question):
            yield keys, page, int(count)


def _submissions(
    session: Session, question: Question, axis: Axis
) -> Iterator[tuple[dict[Axis, str], str, int, int, int]]:
    columns: list[Any] = [Submission.utm_campaign, Submission.utm_source, Submission.article, Submission.form]
    columns.append(_hour() if axis is Axis.DAY else null())
    opened = exists().where(BrochureDownload.submission_id == Submission.id)
    seated = exists().where(Registration.submission_id == Submission.id, Registration.state.in_(_SEATED))
    counted: Select[Any] = (
        select(*columns, func.count(), _count_if(opened), _count_if(seated))
        .where(*question.period.selection.conditions())
        .group_by(*columns[: _grouped(axis)])
    )
    for campaign, source, article, form, hour, submissions, downloads, registrations in session.execute(counted):
        keys = _keys(campaign, source, article, "" if hour is None else _day(int(hour)))
        if _passes(keys, question):
            yield keys, form, submissions, int(downloads), int(registrations)


def _grouped(axis: Axis) -> int | None:
    """All columns; without the last one where it is no day, for nothing can be grouped by it."""
    return None if axis is Axis.DAY else -1


def _hour() -> ColumnElement[Any]:
    """The hour's first second since 1970: clocks in Paris are whole hours away from it, in every engine's own terms."""
    seconds = extract("epoch", Submission.submitted_at)
    # Named, so that it is grouped by without being sent a second time, which PostgreSQL takes for another value.
    return (seconds - seconds % _HOUR).label("hour")


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, PARIS).date().isoformat()


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _keys(campaign: str, source: str, article: str, day: str) -> dict[Axis, str]:
    # As long as a view's, and campaigns whatever their case: so that views and submissions meet.
    return {
        Axis.CAMPAIGN: campaign_name(campaign),
        Axis.SOURCE: source[:VIEW_LIMIT],
        Axis.ARTICLE: article[:VIEW_LIMIT],
        Axis.DAY: day,
    }


def _passes(keys: dict[Axis, str], question: Question) -> bool:
    return all(keys[axis] == value for axis, value in question.filters.items())


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=PARIS).astimezone(UTC)
