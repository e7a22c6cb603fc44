"""Attribution beside what it brought; campaigns; views counted; the sites that may frame the forms."""

import re
from datetime import date, datetime

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base
from .attribution import LIMIT

# Characters of a view's texts. Four bytes each at most, so that a row of the unique index stays under the 2,704 bytes
# that PostgreSQL allows (B-tree, "Maximum Index Row Size"): one that can't be kept would hold all the others up.
VIEW_LIMIT = 100
CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
CODE_LIMIT = 60
NAME_LIMIT = 120
NOTE_LIMIT = 200


class AttributionColumns:
    """Mixed into a model: one column for each text of an Attribution, empty when unknown."""

    utm_source: Mapped[str] = mapped_column(String(LIMIT))
    utm_medium: Mapped[str] = mapped_column(String(LIMIT))
    utm_campaign: Mapped[str] = mapped_column(String(LIMIT))
    utm_term: Mapped[str] = mapped_column(String(LIMIT))
    utm_content: Mapped[str] = mapped_column(String(LIMIT))
    referrer_host: Mapped[str] = mapped_column(String(LIMIT))
    landing_path: Mapped[str] = mapped_column(String(LIMIT))
    article: Mapped[str] = mapped_column(String(LIMIT))
    embed_host: Mapped[str] = mapped_column(String(LIMIT))


class Campaign(Base):
    """A named marketing effort; `code` is what utm_campaign carries and what /c/<code> says."""

    __tablename__ = "campaigns"
    __table_args__ = (CheckConstraint("ends_on >= starts_on", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LIMIT), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_LIMIT))
    source: Mapped[str] = mapped_column(String(LIMIT))
    medium: Mapped[str] = mapped_column(String(LIMIT))
    content: Mapped[str] = mapped_column(String(LIMIT))
    # The form that it leads to, by its name; empty for the article.
    target: Mapped[str] = mapped_column(String(20))
    # Days in Paris, both included. They say when it was planned, not when people still see it.
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(String(NOTE_LIMIT))
    created_at: Mapped[datetime]


class ViewCount(Base):
    """How often a page was seen in a day (Paris) by visitors who came the same way: nobody in particular.

    Unknown texts are empty, never NULL, which the unique key would take for different ones.
    """

    __tablename__ = "view_counts"
    __table_args__ = (
        # Named: PostgreSQL's names end at 63 characters.
        UniqueConstraint(
            "day", "page", "campaign", "source", "medium", "embed_host", "article", name="uq_view_counts_seen"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    page: Mapped[str] = mapped_column(String(20))
    campaign: Mapped[str] = mapped_column(String(VIEW_LIMIT))
    source: Mapped[str] = mapped_column(String(VIEW_LIMIT))
    medium: Mapped[str] = mapped_column(String(VIEW_LIMIT))
    embed_host: Mapped[str] = mapped_column(String(VIEW_LIMIT))
    # The one that is read, or that led to the form.
    article: Mapped[str] = mapped_column(String(VIEW_LIMIT), server_default="")
    count: Mapped[int]


class EmbedHost(Base):
    """`origin` as browsers write it (config.parse_origin): scheme, host and, if it isn't the usual one, port."""

    __tablename__ = "embed_hosts"

    id: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(String(LIMIT), unique=True)
    note: Mapped[str] = mapped_column(String(NOTE_LIMIT))
    created_at: Mapped[datetime]
