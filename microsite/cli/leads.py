"""flask leads …: take the leads out."""

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click

from ..db import db, reading
from ..exports.columns import Writing
from ..exports.dialects import Dialect, ExcelFr, Rfc4180
from ..exports.services import file_when_complete, found_rows, write_csv
from ..exports.sheets import Sheet, submissions_sheet
from ..leads.models import FormName
from ..leads.queries import Selection
from ..school import day_begins, day_ends
from ..web.context import current_school
from .group import DatabaseGroup
from .options import Day

_ENDINGS = (signal.SIGTERM, signal.SIGHUP)

leads = DatabaseGroup("leads", help="Les contacts : les sortir en CSV.")


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
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True, resolve_path=True),
    help="Un fichier ; sinon la sortie standard.",
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
    if since and until and since > until:
        raise click.UsageError("--since doit venir avant --until.")
    selection = Selection(
        form=FormName(form) if form else None,
        since=day_begins(since) if since else None,
        until=day_ends(until) if until else None,
        include_quarantined=include_quarantined,
    )
    chosen: Dialect = ExcelFr() if dialect == "excel-fr" else Rfc4180(guards_formulas=guard_formulas)
    sheet, writing = submissions_sheet(*selection.conditions()), Writing(dialect=chosen, school=current_school())
    with reading():
        if output is None or output == Path("-"):
            _to_standard_output(sheet, writing)
        else:
            _to_file(output, sheet, writing)


def _to_standard_output(sheet: Sheet, writing: Writing) -> None:
    try:
        with found_rows(db.session(), sheet) as rows:
            _exhaust(write_csv(db.session(), sys.stdout.buffer, sheet, rows, writing))
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has seen enough. Python would complain again while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.ClickException(f"la sortie s’est interrompue, elle est incomplète ({error.strerror}).") from None


def _to_file(output: Path, sheet: Sheet, writing: Writing) -> None:
    if output.exists() and not output.is_file():
        raise click.ClickException(f"{output} n’est pas un fichier ordinaire : choisissez un autre nom.")
    written = 0
    try:
        with (
            _leaving_nothing_behind(),
            file_when_complete(output) as stream,
            found_rows(db.session(), sheet) as rows,
            click.progressbar(length=len(rows), label="Export", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar,
        ):
            for count in write_csv(db.session(), stream, sheet, rows, writing):
                bar.update(count - written)
                written = count
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire {output} : {error.strerror}.") from None
    click.echo(f"Demandes exportées : {written}, dans {output}", err=True)


@contextmanager
def _leaving_nothing_behind() -> Iterator[None]:
    """Asked to stop, or the terminal closed, end like any other failure, so that the half-written file goes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda received, _: sys.exit(128 + received)) for number in _ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exhaust(counts: Iterable[int]) -> None:
    for _ in counts:
        pass
