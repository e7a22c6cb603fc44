"""flask ops check: what is left to do before opening to the public, and what has gone wrong since."""

import sys
from collections.abc import Iterator

import click
from flask.cli import with_appcontext

from ..operations.check_content import content_findings
from ..operations.check_database import database_findings, key_findings, row_findings, row_notes
from ..operations.check_machine import machine_findings, notes, service_findings


@click.command("check")
@click.option("--fast", is_flag=True, help="Sans relire toute la base ni joindre serveur SMTP, DNS et compteur.")
@with_appcontext
def check(fast: bool) -> None:
    """Nomme ce qui reste à faire, une ligne par chose ; code de sortie 1 s’il reste quelque chose, 0 sinon."""
    unreachable = list(database_findings(fast=fast))
    findings = [*unreachable, *_findings(is_database_there=not unreachable, fast=fast)]
    for finding in findings:
        click.echo(finding)
    if not findings:
        click.echo("Tout est prêt.")
    for note in (*notes(), *(() if unreachable else row_notes())):
        click.echo(f"À savoir : {note}")
    if findings:
        sys.exit(1)


def _findings(*, is_database_there: bool, fast: bool) -> Iterator[str]:
    if is_database_there:
        yield from key_findings()
        yield from row_findings()
    yield from content_findings(is_database_there=is_database_there)
    yield from service_findings(fast=fast)
    yield from machine_findings()
