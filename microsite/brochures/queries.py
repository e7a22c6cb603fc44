"""The brochure's versions, and how each was read."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import BrochureDownload, BrochureVersion


@dataclass(frozen=True, kw_only=True)
class Readings:
    """`downloads` counts each opening, `requests` each request once."""

    downloads: int = 0
    requests: int = 0


def list_versions(session: Session) -> Sequence[BrochureVersion]:
    """The newest first."""
    return session.scalars(select(BrochureVersion).order_by(BrochureVersion.id.desc())).all()


def count_readings(session: Session) -> dict[int | None, Readings]:
    """By version; None is what was given while no version was chosen."""
    requests = func.count(BrochureDownload.submission_id.distinct())
    counted = select(BrochureDownload.version_id, func.count(), requests).group_by(BrochureDownload.version_id)
    return {
        version_id: Readings(downloads=downloads, requests=once)
        for version_id, downloads, once in session.execute(counted)
    }
