"""flask --app wsgi ops audit: is all that the database promises still so?"""

import sys
from collections.abc import Sequence
from datetime import timedelta

import click
from flask.cli import with_appcontext

from ..db import db, reading
from ..invariants.facts import Fact, Finding, Scope, look
from ..web.context import current_settings, utc_now
from ..web.typography import french, thousands
from .group import told_in_one_line

# How far back mails are looked for; none that is younger is ever deleted.
_MAILS_KEPT = timedelta(days=60)
# ECMA-48: back to the first column, and nothing behind it.
_START_OF_LINE = "\r\x1b[K"


@click.command("audit")
@with_appcontext
def audit() -> None:
    """Relit toute la base et dit, fait par fait, ce qui est tenu et ce qui est rompu ; code de sortie 1 s’il y en a.

    Chaque ligne nomme un fait qui doit être vrai quoi qu’il soit arrivé, ce qui a été regardé et combien. Ce qui le
    rompt est désigné par des numéros et des références, jamais par un nom ou une adresse. Rien n’est modifié ; le
    site peut rester ouvert.
    """
    facts = _facts()
    with told_in_one_line():
        broken = sum(_tell(fact) for fact in facts)
    if broken:
        click.echo(french(f"Faits rompus : {broken} sur {len(facts)}."))
        sys.exit(1)
    click.echo(french(f"Tout est tenu : {len(facts)} faits."))


def _facts() -> Sequence[Fact]:
    from ..invariants.catalogue import all_facts

    now = utc_now()
    scope = Scope(now=now, mails_since=now - _MAILS_KEPT, notify_every=current_settings().notify_admissions)
    return all_facts(db.engine.dialect.name, scope)


def _tell(fact: Fact) -> bool:
    """Whether it is broken; told at once, for a damaged file may end the command at the next one."""
    is_watched = sys.stderr.isatty()
    if is_watched:
        click.echo(french(f"… {fact.name}"), nl=False, err=True)
    # In a transaction of its own, so that a site in use is never held up by all of them.
    with reading():
        _see_one_moment()
        finding = look(db.session(), fact)
    if is_watched:
        click.echo(_START_OF_LINE, nl=False, err=True)
    click.echo(french(_told(finding)))
    return finding.broken > 0


def _see_one_moment() -> None:
    """All queries of a fact see the same rows; on SQLite they do anyway."""
    if db.engine.dialect.name == "postgresql":
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _told(finding: Finding) -> str:
    looked_at = f"{finding.fact.name} ({finding.fact.of} : {thousands(finding.seen)})"
    if not finding.broken:
        return f"tenu : {looked_at}"
    more = ", …" if finding.broken > len(finding.examples) else ""
    return f"rompu : {looked_at} : {thousands(finding.broken)}, soit {', '.join(finding.examples)}{more}"
