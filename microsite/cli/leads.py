"""flask --app wsgi leads …: take the leads out, take one out of quarantine."""

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
from ..leads.queries import Selection, find_by_reference
from ..leads.services import NotQuarantined
from ..quarantine import Outcome, release
from ..school import day_begins, day_ends
from ..web.context import current_school, current_settings, utc_now
from .group import DatabaseGroup
from .options import Day

_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_OUTCOMES = {
    Outcome.SEATED: "",
    Outcome.WAITING: " ; le créneau choisi est complet : la personne est sur sa liste d’attente",
    Outcome.ALERTED: (
        " ; le créneau choisi n’est plus proposé, ou trop petit pour le groupe : "
        "la personne sera prévenue de la prochaine date"
    ),
}

leads = DatabaseGroup("leads", help="Les contacts : les sortir en CSV, lever une quarantaine.")


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


@leads.command("release")
@click.argument("references", nargs=-1, required=True)
def release_command(references: tuple[str, ...]) -> None:
    """Sort des demandes de quarantaine : elles comptent alors comme les autres, place comprise."""
    failed = [reference for reference in references if not _release(reference)]
    if failed:
        sys.exit(1)


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


def _release(reference: str) -> bool:
    submission = find_by_reference(db.session(), reference)
    if submission is None:
        click.echo(f"{reference} : référence inconnue.", err=True)
        return False
    # Two people may release the same one at the same moment.
    db.session.refresh(submission, with_for_update=True)
    try:
        outcome = release(db.session(), submission, notify_every=current_settings().notify_admissions, now=utc_now())
        db.session.commit()
    except NotQuarantined:
        db.session.rollback()
        click.echo(f"{reference} : pas en quarantaine.", err=True)
        return False
    click.echo(f"{submission.reference} : quarantaine levée{_OUTCOMES[outcome]}.")
    return True
