"""flask leads …: take the leads out."""

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, cast

import click
from sqlalchemy import func, select

from ..db import db, reading, writing
from ..exports.bookmarks import BookmarkMoved, Owner, Position, find_bookmark, number_submissions, put_bookmark
from ..exports.columns import Writing
from ..exports.dialects import DIALECTS, Dialect, ExcelFr, Rfc4180
from ..exports.files import file_when_complete, write_csv
from ..exports.models import NAME_LIMIT
from ..exports.sheets import Sheet, new_sheet, submissions_sheet
from ..leads.models import FormName
from ..leads.queries import Selection
from ..school import day_begins, day_ends
from ..web.context import current_school, utc_now
from .group import DatabaseGroup
from .options import Day

_NAME = re.compile(rf"[A-Za-z0-9._-]{{1,{NAME_LIMIT}}}")
_ENDINGS = (signal.SIGTERM, signal.SIGHUP)

leads = DatabaseGroup("leads", help="Les contacts : les sortir en CSV.")


def _check_name(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is not None and not _NAME.fullmatch(name):
        raise click.BadParameter(f"{NAME_LIMIT} lettres, chiffres, points et tirets au plus, sans accent ni espace.")
    return name


@leads.command("export")
@click.option("--form", type=click.Choice([form.value for form in FormName]), help="Un seul formulaire.")
@click.option("--since", type=Day(), help="À partir de ce jour (heure de Paris).")
@click.option("--until", type=Day(), help="Jusqu’à ce jour, inclus.")
@click.option("--include-quarantined", is_flag=True, help="Avec les envois mis en quarantaine.")
@click.option(
    "--new",
    "name",
    metavar="NOM",
    callback=_check_name,
    help="Seulement ce qui est arrivé depuis le dernier export de ce nom, que vous choisissez (« crm »).",
)
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
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
    name: str | None,
    dialect: str,
    guard_formulas: bool,
    output: Path | None,
) -> None:
    """Sort les demandes en CSV, une ligne par demande, dans l’ordre d’arrivée."""
    if since and until and since > until:
        raise click.UsageError("--since doit venir avant --until.")
    if name and (since or until or include_quarantined):
        raise click.UsageError(
            "--new ne va qu’avec --form : ce que les autres options laissent serait perdu pour ce nom."
        )
    bookmarks = _find_bookmarks(name, FormName(form) if form else None) if name else None
    selection = Selection(
        form=FormName(form) if form else None,
        since=day_begins(since) if since else None,
        until=day_ends(until) if until else None,
        include_quarantined=include_quarantined,
    )
    sheet = bookmarks.sheet() if bookmarks else submissions_sheet(*selection.conditions())
    chosen: Dialect = ExcelFr() if dialect == "excel-fr" else Rfc4180(guards_formulas=guard_formulas)
    writing_as = Writing(dialect=chosen, school=current_school())
    if output is None or output == Path("-"):
        _to_standard_output(sheet, writing_as, bookmarks)
    else:
        _to_file(output, sheet, writing_as, bookmarks)


@dataclass(frozen=True, kw_only=True)
class _Bookmarks:
    """Where the bookmarks of a name stand, one a form, and where they go once everything is written."""

    name: str
    before: dict[FormName, Position]
    to: Position

    def sheet(self) -> Sheet:
        return new_sheet({form: position.batch for form, position in self.before.items()}, upto=self.to.batch)

    def move(self) -> None:
        """Raises BookmarkMoved. Callers commit."""
        for form, position in self.before.items():
            put_bookmark(db.session(), Owner(name=self.name), form, self.to, after=position.batch)

    def describe(self, written: int) -> str:
        if all(position.at is None for position in self.before.values()):
            return f"Premier export « {self.name} » : tout est nouveau."
        return "" if written else f"Rien de nouveau depuis le dernier export « {self.name} »."


def _find_bookmarks(name: str, form: FormName | None) -> _Bookmarks:
    to = Position(at=utc_now(), batch=number_submissions(utc_now))
    with reading():
        forms = [form] if form else list(FormName)
        before = {form: find_bookmark(db.session(), Owner(name=name), form) for form in forms}
    return _Bookmarks(name=name, before=before, to=to)


def _to_standard_output(sheet: Sheet, writing_as: Writing, bookmarks: _Bookmarks | None) -> None:
    written = 0
    try:
        with reading():
            for count in write_csv(db.session(), sys.stdout.buffer, sheet, writing_as):
                written = count
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has seen enough. Python would complain again while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.ClickException(f"la sortie s’est interrompue, elle est incomplète ({error.strerror}).") from None
    if bookmarks:
        try:
            with writing():
                bookmarks.move()
        except BookmarkMoved:
            raise _refuse_twice(bookmarks, "ne vous servez pas de ce qui vient d’être écrit") from None
        _report(written, bookmarks)


def _to_file(output: Path, sheet: Sheet, writing_as: Writing, bookmarks: _Bookmarks | None) -> None:
    if output.exists() and not output.is_file():
        raise click.ClickException(f"{output} n’est pas un fichier ordinaire : choisissez un autre nom.")
    try:
        # Ended last: the bookmarks' transaction is committed once the file has its name.
        with ExitStack() as after, _leaving_nothing_behind(), file_when_complete(output) as stream:
            written = _write(stream, sheet, writing_as)
            if bookmarks:
                # Before the transaction: others who write would wait for the disk.
                stream.flush()
                os.fsync(stream.fileno())
                after.enter_context(writing())
                bookmarks.move()
    except BookmarkMoved:
        raise _refuse_twice(cast(_Bookmarks, bookmarks), "rien n’est écrit") from None
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire {output} : {error.strerror}.") from None
    _report(written, bookmarks, output)


def _write(stream: BinaryIO, sheet: Sheet, writing_as: Writing) -> int:
    written = 0
    with reading():
        total = db.session.scalar(select(func.count()).select_from(sheet.ids.subquery())) or 0
        with click.progressbar(length=total, label="Export", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            for count in write_csv(db.session(), stream, sheet, writing_as):
                bar.update(count - written)
                written = count
    return written


def _report(written: int, bookmarks: _Bookmarks | None, output: Path | None = None) -> None:
    """On the standard error, so that the standard output is the file alone."""
    if bookmarks and (text := bookmarks.describe(written)):
        click.echo(text, err=True)
    click.echo(f"Demandes exportées : {written}{f', dans {output}' if output else ''}", err=True)


def _refuse_twice(bookmarks: _Bookmarks, consequence: str) -> click.ClickException:
    return click.ClickException(
        f"un autre export « {bookmarks.name} » s’est terminé entre-temps : {consequence}, recommencez."
    )


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
