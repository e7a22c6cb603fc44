"""Which file is the brochure, who is sent it, and counting its downloads."""

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from ..content_files import SHIPPED
from ..leads.models import Submission
from ..outbox.services import enqueue
from .models import BrochureDownload

FILE_NAME = "brochure.pdf"
MAIL = "brochure"


def brochure_file(instance_path: Path) -> Path:
    """The school's own PDF once it is in the instance folder, the shipped specimen until then."""
    own = instance_path / FILE_NAME
    return own if own.is_file() else SHIPPED / FILE_NAME


def is_specimen(instance_path: Path) -> bool:
    return brochure_file(instance_path).parent == SHIPPED


def follow_up(session: Session, submission: Submission, *, now: datetime) -> None:
    """What a request leads to: a mail with a link that keeps working."""
    enqueue(session, template=MAIL, cause=submission.reference, lead_id=submission.lead_id, now=now)


def count_download(session: Session, submission_id: int, *, now: datetime) -> None:
    session.add(BrochureDownload(submission_id=submission_id, downloaded_at=now))
