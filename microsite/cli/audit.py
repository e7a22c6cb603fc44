"""flask ops audit: is all that the database promises still so?"""

import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta

import click
from flask.cli import with_appcontext

from ..db import db, reading
from ..invariants.facts import Fact, Finding, Scope, look
from ..outbox.queries import mails_complete_since
from ..web.context import current_settings, utc_now
from ..web.typography import french, thousands
from .check_database import key_findings

# How far back mails are looked for; none that is younger is ever deleted.
_MAILS_KEPT = timedelta(days=60)
# ECMA-48: back to the first column, and nothing behind it.
_START_OF_LINE = "\r\x1b[K"


@click.command("audit")
@with_appcontext
def audit() -> None:
    """Relit toute la base et dit, fait par fait, ce qui est tenu et ce qui est rompu ; code de sortie 1 s’il y en a.

    Chaque ligne nomme un fait qui doit être vrai quoi qu’il soit arrivé, ce qui a été regardé et combien. Ce qui le
    rompt est désigné par des numéros et des références, jamais par un nom ou une adresse. Ce qu’on ne peut pas savoir,
    d’avant les messages d’une ancienne version, est compté à part, et n’est pas rompu. Les clés de ce serveur doivent
    aussi être celles de la base. Rien n’est modifié ; le site peut rester ouvert.
    """
    facts = _facts()
    findings = [_tell(fact) for fact in facts]
    key_faults = list(key_findings())
    for fault in key_faults:
        click.echo(fault)
    if broken := sum(finding.broken > 0 for finding in findings):
        click.echo(french(f"Faits rompus : {broken} sur {len(facts)}."))
    if broken or key_faults:
        sys.exit(1)
    unknown = sum(finding.unknown > 0 for finding in findings)
    in_part = f", dont {unknown} en partie seulement : le reste date d’avant les messages" if unknown else ""
    click.echo(french(f"Tout est tenu : {len(facts)} faits{in_part}."))


def _facts() -> Sequence[Fact]:
    from ..invariants.catalogue import all_facts

    now = utc_now()
    with reading():
        complete_since = mails_complete_since(db.session())
    scope = Scope(
        now=now,
        mails_since=now - _MAILS_KEPT,
        mails_complete_since=complete_since,
        notify_every=current_settings().notify_admissions,
    )
    return all_facts(db.engine.dialect.name, scope)


def _tell(fact: Fact) -> Finding:
    """Print what is found at once, for a damaged file may end the command at the next one."""
    is_watched = sys.stderr.isatty()
    if is_watched:
        click.echo(french(f"… {fact.name}"), nl=False, err=True)
    # In a transaction of its own, so that a site in use is never held up by all of them.
    with reading():
        _see_one_moment()
        finding = look(db.session(), fact)
    if is_watched:
        click.echo(_START_OF_LINE, nl=False, err=True)
    for line in _lines(finding):
        click.echo(french(line))
    return finding


def _see_one_moment() -> None:
    """All queries of a fact see the same rows; on SQLite they do anyway."""
    if db.engine.dialect.name == "postgresql":
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _lines(finding: Finding) -> Iterator[str]:
    """One line, and one more where part of what was looked at can't be judged."""
    name, of = finding.fact.name, finding.fact.of
    looked_at = f"{name} ({of} : {thousands(finding.seen - finding.unknown)})"
    if finding.broken:
        more = ", …" if finding.broken > len(finding.examples) else ""
        yield f"rompu : {looked_at} : {thousands(finding.broken)}, soit {', '.join(finding.examples)}{more}"
    else:
        yield f"tenu : {looked_at}"
    if finding.unknown:
        yield f"on ne peut pas savoir : {name} ({of} : {thousands(finding.unknown)}), d’avant les messages de ce site"
