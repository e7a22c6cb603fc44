"""Invariants of the database itself: its file is whole, no row points to nowhere, export batches follow each other."""

from collections.abc import Iterator

from sqlalchemy import ForeignKey, Select, Table, func, select, text
from sqlalchemy.orm import Session

from microsite.db import Base
from microsite.exports.models import ExportBatch, ExportBookmark
from microsite.keys import FILES as KEY_FILES
from microsite.keys.fingerprints import key_faults
from microsite.leads.models import HELD, NO_BATCH, Submission

from .scope import Invariants, Scope


def database_invariants(scope: Scope) -> Invariants:
    engine: Invariants = (
        {
            "SQLite's file is intact": _damage,
            "no row points to one that is missing": _dangling_rows,
        }
        if scope.dialect == "sqlite"
        else {"no row points to one that is missing": _dangling_values}
    )
    last_batch = select(func.coalesce(func.max(ExportBatch.id), 0)).scalar_subquery()
    return engine | {
        "the server's keys are the database's": lambda session: key_faults(session, scope.instance, *KEY_FILES),
        "a submission is of an export batch that exists": select(Submission.reference)
        .outerjoin(ExportBatch, ExportBatch.id == Submission.export_batch)
        .where(Submission.export_batch != NO_BATCH, ExportBatch.id.is_(None)),
        "a held submission is of no export batch": select(Submission.reference).where(
            Submission.status.in_(HELD), Submission.export_batch > NO_BATCH
        ),
        "an export bookmark isn't beyond the last batch": select(ExportBookmark.id).where(
            ExportBookmark.batch > last_batch
        ),
    }


def _damage(session: Session) -> Iterator[str]:
    """Read the whole file, indexes against tables (sqlite.org, PRAGMA integrity_check)."""
    yield from (found for found in session.scalars(text("PRAGMA integrity_check")) if found != "ok")


def _dangling_rows(session: Session) -> Iterator[str]:
    """sqlite.org, PRAGMA foreign_key_check: table, rowid, table it points to."""
    for table, row, parent, _ in session.execute(text("PRAGMA foreign_key_check")):
        yield f"{table} {row} to {parent}"


def _dangling_values(session: Session) -> Iterator[str]:
    """The same by queries: PostgreSQL checks its keys as rows change, and has no command that checks them again."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            for value in session.scalars(_pointing_to_nowhere(table, key)):
                yield f"{table.name}.{key.parent.name} {value} to {key.column.table.name}"


def _pointing_to_nowhere(table: Table, key: ForeignKey) -> Select[int]:
    target = key.column.table.alias()
    joined = table.outerjoin(target, target.c[key.column.name] == key.parent)
    return select(key.parent).select_from(joined).where(key.parent.is_not(None), target.c[key.column.name].is_(None))
