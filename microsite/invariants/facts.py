"""What a fact is, and how one is looked at."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, false, func, select
from sqlalchemy.orm import Session

from ..db import Base

# Names of what breaks a fact, enough to begin looking for the reason.
EXAMPLES = 5

# Ids or references of what breaks it: a query, or what has to be worked out row by row.
Search = Select[Any] | Callable[[Session], Iterable[object]]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """`name` says it in French, `of` what is counted and named; `seen` counts what was looked at.

    `unknowable` are those of `seen` of which nothing tells whether they break it.

    Nothing in it, nor in what breaks it, is personal: ids and references alone.
    """

    name: str
    of: str
    seen: Select[Any]
    broken: Search
    unknowable: Select[Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`broken` counts what breaks the fact, `examples` are the first ones; `unknown` counts what can't be judged."""

    fact: Fact
    seen: int
    broken: int
    examples: Sequence[str]
    unknown: int


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What facts depend on besides the database.

    Mails are looked for from `mails_since` on, for older ones may have been deleted; before `mails_complete_since`,
    where it isn't None, none was decided. `notify_every` is how often admissions are told.
    """

    now: datetime
    mails_since: datetime
    mails_complete_since: datetime | None
    notify_every: str


def look(session: Session, fact: Fact) -> Finding:
    """Look at all of it, in the caller's transaction."""
    seen = session.execute(fact.seen).scalar_one()
    broken, examples = 0, []
    for name in _names(session, fact.broken):
        broken += 1
        if broken <= EXAMPLES:
            examples.append(str(name))
    unknown = 0 if fact.unknowable is None else session.execute(count_of(fact.unknowable)).scalar_one()
    return Finding(fact=fact, seen=seen, broken=broken, examples=examples, unknown=unknown)


def every(model: type[Base]) -> Select[Any]:
    """How many there are."""
    return select(func.count()).select_from(model)


def count_of(rows: Select[*tuple[Any, ...]]) -> Select[Any]:
    return select(func.count()).select_from(rows.subquery())


def before_mails(at: SQLColumnExpression[Any], scope: Scope) -> ColumnElement[bool]:
    """It happened when no mail was decided yet."""
    return false() if scope.mails_complete_since is None else at < scope.mails_complete_since


def _names(session: Session, search: Search) -> Iterable[object]:
    return session.scalars(search) if isinstance(search, Select) else search(session)
