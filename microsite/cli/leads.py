"""flask --app wsgi leads …: take the leads out, take one out of quarantine."""

import os
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import click
from flask.cli import AppGroup

from ..db import db, reading
from ..exports.columns import Writing
from ..exports.dialects import Dialect, ExcelFr, Rfc4180
from ..exports.services import Selection, count_rows, file_when_complete, write_csv
from ..leads.models import FormName
from ..leads.queries import find_by_reference
from ..leads.services import NotQuarantined, release
from ..open_days.services import SlotClosed, SlotFull
from ..open_days.services import follow_up as follow_up_open_day
from ..web.context import current_school, utc_now
from .options import Day, day_after_begins, day_begins

leads = AppGroup("leads", help="Les contacts : les sortir en CSV, lever une quarantaine.")


@leads.command("export")
@click.option("--form", type=click.Choice([form.value for form in FormName]), help="Un seul formulaire.")
@click.option("--since", type=Day(), help="À partir de ce jour (heure de Paris).")
@click.option("--until", type=Day(), help="Jusqu’à ce jour, inclus.")
@click.option("--include-quarantined", is_flag=True, help="Avec les envois mis en quarantaine.")
@click.option(
    "--dialect",
    type=click.Choice(["excel-fr", "rfc4180"]),
    default="excel-fr",
    show_default=True,
    help="Pour Excel en français, ou pour un programme.",
)
@click.option("--guard-formulas", is_flag=True, help="Avec rfc4180 : neutralise aussi les formules.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Un fichier ; sinon la sortie standard."
)
def export(
    form: str | None,
    since: date | None,
    until: date | None,
    include_quarantined: bool,
    dialect: str,
    guard_formulas: bool,
    output: Path | None,
) -> None:
    """Sort les demandes en CSV, une ligne par demande, dans l’ordre d’arrivée."""
    selection = Selection(
        form=FormName(form) if form else None,
        since=day_begins(since) if since else None,
        until=day_after_begins(until) if until else None,
        include_quarantined=include_quarantined,
    )
    chosen: Dialect = ExcelFr() if dialect == "excel-fr" else Rfc4180(guards_formulas=guard_formulas)
    writing = Writing(dialect=chosen, school=current_school())
    with reading():
        if output is None:
            _to_standard_output(selection, writing)
        else:
            _to_file(output, selection, writing)


@leads.command("release")
@click.argument("references", nargs=-1, required=True)
def release_command(references: tuple[str, ...]) -> None:
    """Sort des demandes de quarantaine : elles comptent alors comme les autres, place comprise."""
    failed = [reference for reference in references if not _release(reference)]
    if failed:
        sys.exit(1)


def _to_standard_output(selection: Selection, writing: Writing) -> None:
    try:
        _exhaust(write_csv(db.session(), sys.stdout.buffer, selection, writing))
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has seen enough. Python would complain again while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _to_file(output: Path, selection: Selection, writing: Writing) -> None:
    total = count_rows(db.session(), selection)
    written = 0
    try:
        with (
            file_when_complete(output) as stream,
            click.progressbar(length=total, label="Export", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar,
        ):
            for count in write_csv(db.session(), stream, selection, writing):
                bar.update(count - written)
                written = count
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire {output} : {error.strerror}.") from None
    click.echo(f"{written} demande(s) dans {output}", err=True)


def _exhaust(counts: Iterable[int]) -> None:
    for _ in counts:
        pass


def _release(reference: str) -> bool:
    submission = find_by_reference(db.session(), reference)
    if submission is None:
        click.echo(f"{reference} : référence inconnue.", err=True)
        return False
    try:
        release(db.session(), submission, now=utc_now())
        if submission.form is FormName.OPEN_DAY:
            follow_up_open_day(db.session(), submission, now=utc_now())
        db.session.commit()
    except NotQuarantined:
        db.session.rollback()
        click.echo(f"{reference} : pas en quarantaine.", err=True)
        return False
    except (SlotFull, SlotClosed):
        db.session.rollback()
        click.echo(f"{reference} : le créneau choisi est complet ou passé ; la quarantaine est maintenue.", err=True)
        return False
    click.echo(f"{submission.reference} : quarantaine levée.")
    return True
