"""Adding a campaign, adding up views, letting sites frame the forms, and no longer. Callers commit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import NamedTuple, Self

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..db import insert_into
from .models import VIEW_LIMIT, Campaign, EmbedHost, ViewCount


class CampaignExists(ValueError):
    """Its code is another campaign's."""


@dataclass(frozen=True, kw_only=True)
class CampaignPlan:
    """`target` is the name of the form that it leads to, empty for the article."""

    code: str
    name: str
    source: str
    medium: str
    content: str = ""
    target: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    note: str = ""

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        """As it is now."""
        return cls(**{field.name: getattr(campaign, field.name) for field in fields(cls)})


class Seen(NamedTuple):
    """What views are counted by; `day` is the one in Paris."""

    day: date
    page: str
    campaign: str = ""
    source: str = ""
    medium: str = ""
    embed_host: str = ""
    article: str = ""


_KEY = Seen._fields


def counted_text(text: str) -> str:
    """As numbers are kept by it, which outlive their people: some mailing programs put addresses into their links."""
    return "" if "@" in text else text[:VIEW_LIMIT]


def add_campaign(session: Session, plan: CampaignPlan, *, now: datetime) -> Campaign:
    """Raises CampaignExists."""
    campaign = Campaign(created_at=now, **asdict(plan))
    try:
        with session.begin_nested():
            session.add(campaign)
    except IntegrityError:
        raise CampaignExists(plan.code) from None
    return campaign


def change_campaign(campaign: Campaign, plan: CampaignPlan) -> None:
    """All but its code, which is printed: whoever comes by it still comes by it."""
    if plan.code != campaign.code:
        raise ValueError("a campaign keeps its code")
    for name, value in asdict(plan).items():
        setattr(campaign, name, value)


def add_views(session: Session, counts: Mapping[Seen, int]) -> None:
    """Add these views to those of their day."""
    # In one order, whoever writes them: two processes then never wait for each other's rows.
    rows = [seen._asdict() | {"count": counts[seen]} for seen in sorted(counts)]
    table = ViewCount.__table__
    insert = insert_into(session, table)
    added = table.c.count + insert.excluded.count
    session.connection().execute(insert.on_conflict_do_update(index_elements=_KEY, set_={"count": added}), rows)


class HostAlreadyAllowed(Exception):
    """The origin is in the list."""


def allow_embed_host(session: Session, origin: str, *, note: str, now: datetime) -> None:
    """Raises HostAlreadyAllowed."""
    try:
        with session.begin_nested():
            session.add(EmbedHost(origin=origin, note=note, created_at=now))
    except IntegrityError:
        raise HostAlreadyAllowed from None


def remove_embed_host(session: Session, origin: str) -> bool:
    """Whether it was in the list."""
    removed = session.execute(delete(EmbedHost).where(EmbedHost.origin == origin).returning(EmbedHost.id))
    return removed.first() is not None
