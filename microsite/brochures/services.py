"""Which file is the brochure, and counting its downloads."""

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from ..content_files import SHIPPED
from .models import BrochureDownload

FILE_NAME = "brochure.pdf"


def brochure_file(instance_path: Path) -> Path:
    """The school's own PDF once it is in the instance folder, the shipped specimen until then."""
    own = instance_path / FILE_NAME
    return own if own.is_file() else SHIPPED / FILE_NAME


def count_download(session: Session, submission_id: int, *, now: datetime) -> None:
    session.add(BrochureDownload(submission_id=submission_id, downloaded_at=now))
