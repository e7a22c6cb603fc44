"""The columns that keep an attribution beside what it brought."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .attribution import LIMIT


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
