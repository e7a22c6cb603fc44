"""What a report is asked for: a period, filters, and along which axis."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from ..campaigns.attribution import folded, tidy
from ..campaigns.models import VIEW_LIMIT, Campaign
from ..leads.models import FormName
from ..leads.queries import Selection
from ..school import day_begins, day_ends


class Axis(StrEnum):
    CAMPAIGN = "campaign"
    SOURCE = "source"
    FORM = "form"
    ARTICLE = "article"
    DAY = "day"


@dataclass(frozen=True, kw_only=True)
class Period:
    """Days in Paris, both included. `selection` says the same of submissions."""

    since: date
    until: date
    selection: Selection

    def touches(self, campaign: Campaign) -> bool:
        """Whether one of its days is a day of the campaign, which may be open-ended."""
        begins_in_time = campaign.starts_on is None or campaign.starts_on <= self.until
        return begins_in_time and (campaign.ends_on is None or campaign.ends_on >= self.since)


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
        selection = Selection(form=self.form, since=day_begins(self.since), until=day_ends(self.until))
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


def campaign_name(campaign: str) -> str:
    """As long as a view's, so that both meet; « Salon-2026 », typed by hand, is salon-2026."""
    return folded(campaign[:VIEW_LIMIT])
