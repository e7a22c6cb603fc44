"""The columns that keep an attribution beside what it brought; the sites that may frame the forms."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base
from .attribution import LIMIT

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


class EmbedHost(Base):
    """`origin` as browsers write it (config.parse_origin): scheme, host and, if it isn't the usual one, port."""

    __tablename__ = "embed_hosts"

    id: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(String(LIMIT), unique=True)
    note: Mapped[str] = mapped_column(String(NOTE_LIMIT))
    created_at: Mapped[datetime]
