"""All facts, in the order in which they are told: the database first, for a damaged one says little of the rest."""

from collections.abc import Sequence

from .database import database_facts
from .facts import Fact, Scope
from .leads import FACTS
from .mails import mail_facts
from .seats import seat_facts


def all_facts(dialect: str, scope: Scope) -> Sequence[Fact]:
    """`dialect` is SQLAlchemy's name of the engine."""
    return (*database_facts(dialect), *FACTS, *seat_facts(scope), *mail_facts(scope))
