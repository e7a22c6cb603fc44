"""What it means that something has had its time: a person goes with all that is theirs, other rows by themselves.

Callers commit.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, delete, update
from sqlalchemy.orm import Session

from ..db import Base
from .erasure import scrub_leads, scrub_submissions
from .purge import Sweep
from .retention import Rule


def remove(session: Session, sweep: Sweep, ids: Sequence[int], *, now: datetime) -> None:
    match sweep.rule:
        case Rule.LEADS:
            scrub_leads(session, ids, now=now)
        case Rule.QUARANTINED | Rule.SPAM:
            scrub_submissions(session, ids, now=now)
        case _:
            _let_go(session, sweep, ids)
            session.execute(delete(sweep.rows).where(sweep.rows.c.id.in_(ids)))


def _let_go(session: Session, sweep: Sweep, ids: Sequence[int]) -> None:
    """Whatever points to these rows goes with them, or points to nobody where it may: a brochure, an account gone."""
    for key in _references(sweep):
        table = key.parent.table
        theirs = key.parent.in_(ids)
        if key.parent.nullable:
            session.execute(update(table).where(theirs).values({key.parent.name: None}))
        else:
            session.execute(delete(table).where(theirs))


def _references(sweep: Sweep) -> list[ForeignKey]:
    return [
        key for table in Base.metadata.sorted_tables for key in table.foreign_keys if key.column.table is sweep.rows
    ]
