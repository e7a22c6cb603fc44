"""What each campaign brought from each source to each form, from views to submissions to brochures opened."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ..campaigns.attribution import folded, tidy
from ..campaigns.models import VIEW_LIMIT, Campaign, ViewCount
from ..campaigns.pages import ARTICLE, LINK
from ..campaigns.queries import list_campaigns
from ..leads.models import FormName, Submission
from ..leads.queries import Selection
from ..text import sort_key
from .counts import Counts
from .outcomes import count_opened, count_seated


class CampaignUnknown(ValueError):
    """Neither planned, nor ever seen."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """Days in Paris, both included; None is without end. `selection` says the same of submissions."""

    since: date | None = None
    until: date | None = None
    selection: Selection = field(default_factory=Selection)

    def touches(self, campaign: Campaign) -> bool:
        """Whether one of its days is a day of the campaign, which may be open-ended too."""
        begins_in_time = not (self.until and campaign.starts_on) or campaign.starts_on <= self.until
        return begins_in_time and (not (self.since and campaign.ends_on) or campaign.ends_on >= self.since)


@dataclass(frozen=True, kw_only=True)
class Funnel(Counts):
    """One line: what a campaign brought from one source to one form, or to all of them if `form` is None.

    `links` and `views` belong to no form: they are the same on each line of a campaign and source.
    """

    campaign: str
    source: str
    form: FormName | None


# Campaign and source.
_Effort = tuple[str, str]


@dataclass
class _Tally:
    """Counts by campaign (whatever its case), source and what follows."""

    views: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    submissions: Counter[tuple[str, str, FormName]] = field(default_factory=Counter)
    downloads: Counter[tuple[str, str, FormName]] = field(default_factory=Counter)
    registrations: Counter[tuple[str, str, FormName]] = field(default_factory=Counter)

    def efforts(self) -> set[_Effort]:
        return {key[:2] for key in (*self.views, *self.submissions)}

    def campaigns(self) -> set[str]:
        return {campaign for campaign, _ in self.efforts()}


def report(session: Session, period: Period, *, campaign: str | None = None) -> list[Funnel]:
    """For each campaign and source a line for all forms, then one for each form that was looked at or sent.

    Those without a campaign come last. One that nobody came by has its line of zeros, if it runs in the period or is
    the one asked for. Submissions are those that `leads export` gives for the same days: quarantined ones count once
    they are released. Raises CampaignUnknown.
    """
    tally = _count(session, period)
    planned = list_campaigns(session)
    if campaign is None:
        efforts = tally.efforts() | _without_a_visit(tally, filter(period.touches, planned))
    else:
        name = campaign_name(tidy("utm_campaign", campaign))
        if name and name not in {row.code for row in planned} and name not in _count(session, Period()).campaigns():
            raise CampaignUnknown
        efforts = {effort for effort in tally.efforts() | _without_a_visit(tally, planned) if effort[0] == name}
    return [line for effort in sorted(efforts, key=_in_french_order) for line in _lines(tally, *effort)]


def _in_french_order(effort: _Effort) -> tuple[Any, ...]:
    campaign, source = effort
    return not campaign, sort_key(campaign), campaign, sort_key(source), source


def _count(session: Session, period: Period) -> _Tally:
    tally = _Tally()
    _add_views(session, tally, period)
    _add_submissions(session, tally, period.selection)
    return tally


def _without_a_visit(tally: _Tally, planned: Iterable[Campaign]) -> set[_Effort]:
    visited = tally.campaigns()
    return {(row.code, row.source[:VIEW_LIMIT]) for row in planned if row.code not in visited}


def campaign_name(campaign: str) -> str:
    """As long as a view's, so that both meet; « Salon-2026 », typed by hand, is salon-2026."""
    return folded(campaign[:VIEW_LIMIT])


def _add_views(session: Session, tally: _Tally, period: Period) -> None:
    keys = (ViewCount.campaign, ViewCount.source, ViewCount.page)
    counted = select(*keys, func.sum(ViewCount.count)).where(*_days(period)).group_by(*keys)
    for campaign, source, page, count in session.execute(counted):
        tally.views[campaign_name(campaign), source, page] += count


def _days(period: Period) -> Iterator[ColumnElement[bool]]:
    if period.since is not None:
        yield ViewCount.day >= period.since
    if period.until is not None:
        yield ViewCount.day <= period.until


def _add_submissions(session: Session, tally: _Tally, selection: Selection) -> None:
    keys = (Submission.utm_campaign, Submission.utm_source, Submission.form)
    counted = select(*keys, func.count(), count_opened(), count_seated())
    for campaign, source, form, *counts in session.execute(counted.where(*selection.conditions()).group_by(*keys)):
        key = campaign_name(campaign), source[:VIEW_LIMIT], form
        for counter, count in zip((tally.submissions, tally.downloads, tally.registrations), counts, strict=True):
            counter[key] += int(count)


def _lines(tally: _Tally, campaign: str, source: str) -> Iterator[Funnel]:
    effort = (campaign, source)
    lines = [_line(tally, effort, [form]) for form in FormName]
    yield _line(tally, effort, list(FormName))
    yield from (line for line in lines if line.form_views or line.submissions)


def _line(tally: _Tally, effort: tuple[str, str], forms: list[FormName]) -> Funnel:
    return Funnel(
        campaign=effort[0],
        source=effort[1],
        form=forms[0] if len(forms) == 1 else None,
        links=tally.views[*effort, LINK],
        views=tally.views[*effort, ARTICLE],
        form_views=sum(tally.views[*effort, form] for form in forms),
        submissions=sum(tally.submissions[*effort, form] for form in forms),
        downloads=sum(tally.downloads[*effort, form] for form in forms),
        requests=sum(tally.submissions[*effort, form] for form in forms if form is FormName.BROCHURE),
        registrations=sum(tally.registrations[*effort, form] for form in forms),
    )
