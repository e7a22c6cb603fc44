"""What an invariant is, and what invariants depend on besides the rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

# Finds what breaks an invariant, by id or reference: a query, or a function where SQL isn't enough.
Search = Select[Any] | Callable[[Session], Iterable[object]]
# By what each one says.
Invariants = dict[str, Search]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Mails are looked for from `mails_since` on: older ones may have been deleted, or never decided.

    `notify_every` is how often admissions are notified (MICROSITE_NOTIFY_ADMISSIONS).
    """

    dialect: str
    instance: Path
    now: datetime
    mails_since: datetime
    notify_every: str


def find_violations(session: Session, search: Search) -> list[str]:
    found = session.scalars(search) if isinstance(search, Select) else search(session)
    return [str(one) for one in found]
