"""Reading the submissions in batches and writing them: flat memory, and a file that is never half there."""

import csv
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ..leads.models import Consent, Submission
from ..leads.queries import Selection
from ..open_days.models import Registration
from .columns import COLUMNS, Writing, heading

# Rows read at once; each batch is a read of its own, so that a long export holds no writer up.
BATCH = 2000


def count_rows(session: Session, selection: Selection) -> int:
    return session.execute(select(func.count(Submission.id)).where(*selection.conditions())).scalar_one()


def write_csv(session: Session, stream: BinaryIO, selection: Selection, writing: Writing) -> Iterator[int]:
    """Write heading and rows to a binary stream; yields the number of rows written so far, batch by batch.

    Ends the session's transaction between batches. What is submitted meanwhile is left for the next export.
    """
    text = io.TextIOWrapper(stream, encoding=writing.dialect.encoding, newline="")
    try:
        writer = csv.writer(text, delimiter=writing.dialect.delimiter, lineterminator="\r\n")
        writer.writerow([heading(column, writing.dialect) for column in COLUMNS])
        written = 0
        for rows in _batches(session, selection):
            writer.writerows([column.write(row, writing) for column in COLUMNS] for row in rows)
            written += len(rows)
            yield written
        text.flush()
    finally:
        # The stream stays open: it is the caller's.
        text.detach()


@contextmanager
def file_when_complete(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path`, readable by its owner alone, that takes its place once all is written.

    If anything fails the file that was there stays as it was. Raises OSError.
    """
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _batches(session: Session, selection: Selection) -> Iterator[list[Any]]:
    last = session.execute(select(func.max(Submission.id)).where(*selection.conditions())).scalar_one() or 0
    statement = _statement(selection).where(Submission.id <= last).order_by(Submission.id).limit(BATCH)
    after = 0
    while rows := list(session.execute(statement.where(Submission.id > after))):
        session.rollback()
        yield rows
        after = rows[-1].id


def _statement(selection: Selection) -> Select[Any]:
    """Consents are those that stand: given with this submission or, by its lead, on the personal page since.

    One that was withdrawn isn't one any more: its columns are empty.
    """
    by_email, by_phone = aliased(Consent), aliased(Consent)
    return (
        select(
            *Submission.__table__.columns,
            func.coalesce(by_email.given_at, _own(Consent.given_at, "email")).label("email_consent_at"),
            func.coalesce(by_email.confirmed_at, _own(Consent.confirmed_at, "email")).label(
                "email_consent_confirmed_at"
            ),
            func.coalesce(by_phone.given_at, _own(Consent.given_at, "phone")).label("phone_consent_at"),
            Registration.state.label("registration"),
            Registration.checked_in_at,
            Registration.is_walk_in,
        )
        .outerjoin(by_email, _stands(by_email, "email"))
        .outerjoin(by_phone, _stands(by_phone, "phone"))
        .outerjoin(Registration, Registration.id == _registration_id())
        .where(*selection.conditions())
    )


def _registration_id() -> ColumnElement[int]:
    """The registration that a submission led to; else, for a form sent again, its lead's last one in that slot.

    Looked for in this order: engines evaluate COALESCE no further than they need, and most submissions have their own.
    """
    own, any_of_the_lead = aliased(Registration), aliased(Registration)
    by_submission = select(own.id).where(own.submission_id == Submission.id)
    in_its_slot = and_(
        any_of_the_lead.lead_id == Submission.lead_id,
        any_of_the_lead.slot_id == Submission.answers["slot_id"].as_integer(),
    )
    last = select(func.max(any_of_the_lead.id)).where(in_its_slot)
    return func.coalesce(by_submission.scalar_subquery(), last.scalar_subquery())


def _stands(consent: type[Consent], channel: str) -> ColumnElement[bool]:
    return and_(consent.submission_id == Submission.id, consent.channel == channel, consent.withdrawn_at.is_(None))


def _own(moment: InstrumentedAttribute[Any], channel: str) -> ScalarSelect[Any]:
    """When this submission's lead gave (or confirmed) what belongs to no submission."""
    own = (Consent.lead_id == Submission.lead_id, Consent.submission_id.is_(None), Consent.withdrawn_at.is_(None))
    return select(func.min(moment)).where(*own, Consent.channel == channel).correlate(Submission).scalar_subquery()
