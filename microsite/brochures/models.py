"""How often, and when, each request's brochure was opened."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class BrochureDownload(Base):
    """A download, counted when the file's first byte is asked for. Belongs to a request, hence to a person."""

    __tablename__ = "brochure_downloads"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    downloaded_at: Mapped[datetime]
