"""Which file is the brochure, who is sent it, and counting its downloads. Callers commit."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..content_files import SHIPPED
from ..leads.models import Submission
from ..leads.receipts import Receipt
from ..outbox.emails import Email
from ..outbox.services import enqueue
from .models import BrochureDownload, BrochureVersion
from .pdf import NOT_VERIFIED, find_fault

FILE_NAME = "brochure.pdf"
# The versions that were uploaded, in the instance folder.
FOLDER = "brochures"

BROCHURE_EMAIL = Email(name="brochure", label="brochure", owed_by=Submission)


@dataclass(frozen=True, kw_only=True)
class Given:
    """The file that is given today; without a version it is the operator's own, or the specimen."""

    path: Path
    version_id: int | None


class AlreadyUploaded(ValueError):
    """The very same file is a version already."""


def standing_file(instance_path: Path) -> Path:
    """What is given while no version is chosen: the operator's own PDF, the specimen if nobody could open that one."""
    own = instance_path / FILE_NAME
    return own if own.is_file() and own_fault(instance_path) is None else SHIPPED / FILE_NAME


def own_fault(instance_path: Path) -> str | None:
    """Why the operator's own PDF isn't given; None if it is, or if there is none."""
    own = instance_path / FILE_NAME
    fault = find_fault(own) if own.is_file() else None
    return fault if fault != NOT_VERIFIED else None


def is_own_unverified(instance_path: Path) -> bool:
    """Whether the operator's own PDF is given though nobody could judge it."""
    own = instance_path / FILE_NAME
    return own.is_file() and find_fault(own) == NOT_VERIFIED


def version_file(instance_path: Path, digest: str) -> Path:
    return instance_path / FOLDER / f"{digest}.pdf"


def has_specimen_alone(instance_path: Path) -> bool:
    """Whether nothing but the specimen can be given; asks no database, for forms are shown without it too."""
    return standing_file(instance_path).parent == SHIPPED and next((instance_path / FOLDER).glob("*.pdf"), None) is None


def chosen_version(session: Session) -> BrochureVersion | None:
    chosen = select(BrochureVersion).where(BrochureVersion.chosen_at.is_not(None))
    last = chosen.order_by(BrochureVersion.chosen_at.desc(), BrochureVersion.id.desc())
    return session.scalars(last.limit(1)).first()


def given_brochure(session: Session, instance_path: Path) -> Given:
    """The chosen version; what stands in its place if its file was lost, for an older brochure is better than none."""
    version = chosen_version(session)
    if version is not None and (path := version_file(instance_path, version.digest)).is_file():
        return Given(path=path, version_id=version.id)
    return Given(path=standing_file(instance_path), version_id=None)


def add_version(
    session: Session, *, digest: str, size: int, note: str, staff_id: int | None, now: datetime
) -> BrochureVersion:
    """A version whose file is there; it is given from now on. Raises AlreadyUploaded."""
    version = BrochureVersion(digest=digest, size=size, note=note, added_at=now, added_by=staff_id, chosen_at=now)
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError:
        raise AlreadyUploaded(digest) from None
    return version


def choose_version(session: Session, version: BrochureVersion | None, *, now: datetime) -> None:
    """Give this one from now on; None: what stands in the place of versions."""
    if version is not None:
        version.chosen_at = now
    else:
        session.execute(update(BrochureVersion).values(chosen_at=None))


def follow_up(session: Session, receipt: Receipt, *, now: datetime) -> None:
    """What a request leads to: a mail with a link that keeps working."""
    enqueue(session, BROCHURE_EMAIL, cause=receipt.reference, lead_id=receipt.lead_id, now=now)


def count_download(session: Session, submission_id: int, *, version_id: int | None, now: datetime) -> None:
    session.add(BrochureDownload(submission_id=submission_id, version_id=version_id, downloaded_at=now))
