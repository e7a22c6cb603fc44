"""Rows gathered and written together: what capture() and its follow-ups would have written one by one."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Table, bindparam, insert, text, update
from sqlalchemy.orm import Session

from ..brochures.models import BrochureDownload
from ..campaigns.services import Seen, add_views
from ..db import Base, insert_into
from ..leads.models import Consent, Lead, LeadWord, Submission
from ..leads.words import words_of
from ..open_days.models import Alert, Registration
from ..outbox.models import OutgoingMail
from .leads import Known

# What one submission may change of somebody.
_CHANGING = ("phone", "needs_review", "last_contact_at")

Row = dict[str, Any]
Item = TypeVar("Item")


@dataclass(kw_only=True)
class Draft:
    """A submission and what hangs on it; ids are filled in once it is written. `known` is None while held back."""

    values: Row
    known: Known | None
    consents: list[Row] = field(default_factory=list)
    downloads: list[Row] = field(default_factory=list)
    mails: list[Row] = field(default_factory=list)
    registration: Row | None = None
    alert: Row | None = None


def write(session: Session, drafts: list[Draft], views: Counter[Seen]) -> None:
    """All of them, and these views, in the caller's transaction."""
    _write_leads(session, [draft.known for draft in drafts if draft.known])
    _write_words(session, drafts)
    values = [draft.values | {"lead_id": draft.known and draft.known.id} for draft in drafts]
    for draft, submission_id in zip(drafts, _inserted_ids(session, Submission, values), strict=True):
        _point(draft, submission_id)
    _insert(session, Consent, [row for draft in drafts for row in draft.consents])
    _insert(session, BrochureDownload, [row for draft in drafts for row in draft.downloads])
    _insert(session, OutgoingMail, [row for draft in drafts for row in draft.mails])
    _insert(session, Registration, [draft.registration for draft in drafts if draft.registration])
    _insert(session, Alert, [draft.alert for draft in drafts if draft.alert])
    if views:
        add_views(session, views)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some


def _write_leads(session: Session, people: list[Known]) -> None:
    once = list({id(known): known for known in people}.values())
    new = [known for known in once if known.id is None]
    changed = [{"row": known.id} | {name: known.values[name] for name in _CHANGING} for known in once if known.id]
    for known, lead_id in zip(new, _inserted_ids(session, Lead, [known.values for known in new]), strict=True):
        known.id = lead_id
    if changed:
        table = _table(Lead)
        session.connection().execute(update(table).where(table.c.id == bindparam("row")), changed)


def _write_words(session: Session, drafts: list[Draft]) -> None:
    words = {(draft.known.id, word) for draft in drafts if draft.known for word in _words(draft.values)}
    table = _table(LeadWord)
    kept = insert_into(session, table).on_conflict_do_nothing()
    if words:
        session.connection().execute(kept, [{"lead_id": lead_id, "word": word} for lead_id, word in sorted(words)])


def _words(values: Row) -> list[str]:
    return words_of(**{name: values[name] for name in ("first_name", "last_name", "email", "phone")})


def _point(draft: Draft, submission_id: int) -> None:
    lead_id = draft.known and draft.known.id
    for row in (*draft.consents, draft.registration, draft.alert):
        if row is not None:
            row |= {"submission_id": submission_id, "lead_id": lead_id}
    for row in draft.downloads:
        row["submission_id"] = submission_id
    for row in draft.mails:
        row["lead_id"] = lead_id


def _insert(session: Session, model: type[Base], rows: list[Row]) -> None:
    if rows:
        session.connection().execute(insert(_table(model)), rows)


def _inserted_ids(session: Session, model: type[Base], rows: list[Row]) -> list[int]:
    ids = _new_ids(session, _table(model).name, len(rows))
    _insert(session, model, [row | {"id": number} for row, number in zip(rows, ids, strict=True)])
    return ids


def _new_ids(session: Session, table: str, count: int) -> list[int]:
    """So many ids that no row has had, given out to nobody else: asking for each after its insert takes far longer."""
    if session.get_bind().dialect.name == "postgresql":
        drawn = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
        return list(session.scalars(drawn, {"table": table, "count": count}))
    # AUTOINCREMENT's own table (sqlite.org/autoinc.html): it follows ids that are given, and nobody else writes.
    last = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": table}) or 0
    return list(range(last + 1, last + 1 + count))


def _table(model: type[Base]) -> Table:
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(model)
    return table
