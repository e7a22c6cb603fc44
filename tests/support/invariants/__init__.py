"""The database's invariants: what must hold of all rows whatever happened, as an oracle for tests."""

from datetime import timedelta

from flask import Flask

from microsite.db import db, reading
from microsite.outbox.queries import mails_complete_since
from microsite.web.context import current_settings, utc_now

from .database import database_invariants
from .leads import LEAD_INVARIANTS
from .mails import mail_invariants
from .scope import Invariants, Scope, find_violations
from .seats import seat_invariants

# How far back mails are looked for; none that is younger is ever deleted.
_MAILS_KEPT = timedelta(days=60)
# Violations that are named of each invariant.
_EXAMPLES = 5


def broken_invariants(app: Flask) -> list[str]:
    """Check all rows; a line for each invariant that is broken, with ids or references of what breaks it."""
    with app.app_context(), reading():
        return [
            f"{name}: {', '.join(violations[:_EXAMPLES])}"
            for name, search in all_invariants(current_scope()).items()
            if (violations := find_violations(db.session(), search))
        ]


def all_invariants(scope: Scope) -> Invariants:
    """The database's own first: a damaged one says little of the rest."""
    return {**database_invariants(scope), **LEAD_INVARIANTS, **seat_invariants(scope), **mail_invariants(scope)}


def current_scope() -> Scope:
    now, settings = utc_now(), current_settings()
    since, complete_since = now - _MAILS_KEPT, mails_complete_since(db.session())
    return Scope(
        dialect=db.engine.dialect.name,
        instance=settings.instance_path,
        now=now,
        mails_since=max(since, complete_since or since),
        notify_every=settings.notify_admissions,
    )
