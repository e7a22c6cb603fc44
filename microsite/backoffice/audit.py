"""Noting what staff see and do. Callers commit; in a request that only reads, inside db.writing()."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from .models import AuditEntry


def note(
    session: Session,
    action: str,
    *,
    staff_id: int | None,
    now: datetime,
    subject: str = "",
    subject_id: int | None = None,
    **details: Any,
) -> None:
    """`details` are counts, states and filters: no name, no address, nothing that was typed by a lead."""
    session.add(
        AuditEntry(at=now, staff_id=staff_id, action=action, subject=subject, subject_id=subject_id, details=details)
    )
