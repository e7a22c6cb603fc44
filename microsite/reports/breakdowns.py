"""The same counts along one axis: by campaign, source, form, article or day, of a period, with filters."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from ..campaigns.models import VIEW_LIMIT
from ..campaigns.pages import ARTICLE, LINK
from ..campaigns.queries import list_campaigns
from ..leads.models import FormName
from ..text import sort_key
from .counts import Counts
from .questions import Axis, Question
from .tallies import count_submissions, count_views


@dataclass(frozen=True, kw_only=True)
class Line(Counts):
    """`key` is a campaign, a source, a form's name, an article's slug or an ISO day; empty for none. A form's
    lines repeat the links and the article's views, which belong to no form.
    """

    key: str


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
    for key, page, count in count_views(session, question, axis):
        for sums in (total, by_key[key]):
            sums.views[page] += count
    for key, form, submissions, downloads, registrations in count_submissions(session, question, axis):
        for sums in (total, by_key[key]):
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
    return -line.submissions, -line.form_views, -line.views, not line.key, sort_key(line.key), line.key


def _planned(session: Session, question: Question) -> Iterator[str]:
    asked = question.filters
    for campaign in list_campaigns(session):
        # One that is planned for another source isn't to be expected from the one that is asked for.
        keys = {Axis.CAMPAIGN: campaign.code, Axis.SOURCE: campaign.source[:VIEW_LIMIT]}
        is_asked_for = all(asked.get(axis, key) == key for axis, key in keys.items())
        if is_asked_for and question.period.touches(campaign):
            yield campaign.code
