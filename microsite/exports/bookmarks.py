"""Commit-order sequence behind "new since my last export", and the bookmarks in it.

Neither ids nor times tell what is new: on PostgreSQL a transaction may commit a lower id later, and a submission
released from quarantine counts long after it was sent. Each export of what is new therefore gives the submissions that
have no batch yet the next batches, one export at a time: once a batch can be seen, it and those before it are complete.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..db import db, reading, writing
from ..leads.matching import count_up_to
from ..leads.models import FormName, Submission, SubmissionStatus
from .models import Export, ExportBatch, ExportBookmark, ExportKind

# Submissions numbered in one transaction: others who write wait for so many.
_AT_ONCE = 1000
# Held submissions have no lead.
_UNNUMBERED = (Submission.export_batch.is_(None), Submission.lead_id.is_not(None))


class BookmarkMoved(Exception):
    """Another export, or the person, has moved the bookmark meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose bookmarks: a member of staff's, or those of a command's name."""

    staff_id: int | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a bookmark stands, or may: after this batch; `at` is the time shown, None at the very beginning."""

    batch: int = 0
    at: datetime | None = None


def number_submissions(clock: Callable[[], datetime]) -> int:
    """Give each submission that counts by now its batch, and return the last batch's id. Commits."""
    with reading():
        is_any = db.session.scalar(select(Submission.id).where(*_UNNUMBERED).limit(1)) is not None
    while is_any:
        with writing():
            is_any = number_some(db.session(), now=clock()) == _AT_ONCE
    with reading():
        return last_batch(db.session())


def number_some(session: Session, *, now: datetime) -> int:
    """Number up to _AT_ONCE submissions and return how many. Callers commit, at once.

    A batch's time is when its submissions were sent, or now for those released from quarantine, and never earlier than
    the batch before: a bookmark that is put at a moment passes over nothing that came after it.
    """
    if session.get_bind().dialect.name == "postgresql":
        # SQLite has one writer at a time anyway.
        session.execute(text("LOCK TABLE export_batches IN EXCLUSIVE MODE"))
    columns = select(Submission.id, Submission.submitted_at, Submission.status)
    found = session.execute(columns.where(*_UNNUMBERED).order_by(Submission.id).limit(_AT_ONCE)).all()
    floor = session.scalar(select(func.max(ExportBatch.at)))
    times = {id_: now if status is SubmissionStatus.RELEASED else min(sent_at, now) for id_, sent_at, status in found}
    if floor is not None:
        times = {id_: max(floor, at) for id_, at in times.items()}
    batches = {at: ExportBatch(at=at) for at in sorted(set(times.values()))}
    session.add_all(batches.values())
    session.flush()
    numbered = [{"id": id_, "export_batch": batches[at].id} for id_, at in times.items()]
    if numbered:
        session.execute(update(Submission), numbered)
    return len(found)


def last_batch(session: Session) -> int:
    """Return 0 where there is none."""
    return session.scalar(select(func.max(ExportBatch.id))) or 0


def batch_before(session: Session, moment: datetime) -> int:
    """Return the last batch that holds nothing of what came after that moment."""
    return session.scalar(select(func.max(ExportBatch.id)).where(ExportBatch.at <= moment)) or 0


def count_new(session: Session, form: FormName, *, after: int, limit: int) -> int:
    """Count this form's submissions that came after that batch, numbered or not, as far as `limit`."""
    numbered = select(Submission.id).where(Submission.form == form, Submission.export_batch > after)
    unnumbered = select(Submission.id).where(Submission.form == form, *_UNNUMBERED)
    return min(limit, count_up_to(session, numbered, limit) + count_up_to(session, unnumbered, limit))


def find_bookmark(session: Session, owner: Owner, form: FormName) -> Position:
    found = session.scalar(_bookmark(owner, form))
    return Position(batch=found.batch, at=found.at) if found else Position()


def put_bookmark(session: Session, owner: Owner, form: FormName, position: Position, *, after: int) -> None:
    """Move the bookmark from the batch `after`. Raises BookmarkMoved if it isn't there any more."""
    found = session.scalar(_bookmark(owner, form).with_for_update())
    if (found.batch if found else 0) != after:
        raise BookmarkMoved
    if found is None:
        found = ExportBookmark(staff_id=owner.staff_id, name=owner.name, form=form)
        session.add(found)
    found.batch, found.at = position.batch, position.at
    try:
        session.flush()
    except IntegrityError:
        raise BookmarkMoved from None


def exports_of_new(session: Session, staff_id: int, form: FormName, *, limit: int) -> list[Export]:
    """Return this person's last exports of what was new: the bookmark may go back before each."""
    own = select(Export).where(Export.staff_id == staff_id, Export.kind == ExportKind.NEW, Export.form == form)
    return list(session.scalars(own.order_by(Export.id.desc()).limit(limit)))


def latest_exports(session: Session, staff_id: int, *, limit: int) -> list[Export]:
    own = select(Export).where(Export.staff_id == staff_id)
    return list(session.scalars(own.order_by(Export.id.desc()).limit(limit)))


def _bookmark(owner: Owner, form: FormName) -> Select[ExportBookmark]:
    own = select(ExportBookmark).filter_by(staff_id=owner.staff_id, name=owner.name, form=form)
    return own.execution_options(populate_existing=True)
