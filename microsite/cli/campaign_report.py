"""flask --app wsgi campaigns report: a table to read, or a CSV for a spreadsheet."""

import csv
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click
from flask.cli import with_appcontext

from ..db import db, reading
from ..exports.columns import FORMS
from ..exports.dialects import ExcelFr
from ..exports.services import file_when_complete
from ..leads.queries import Selection
from ..reports.campaigns import CampaignUnknown, Funnel, Period, report
from ..school import day_begins, day_ends
from .options import Day

_ALL_FORMS = "Tous"


@dataclass(frozen=True, kw_only=True)
class _Column:
    heading: str
    cell: Callable[[Funnel], str]
    is_number: bool = True


def _rate(rate: float | None) -> str:
    """A percentage with a decimal comma, empty where there is nothing to divide by."""
    return "" if rate is None else f"{100 * rate:.1f}".replace(".", ",")


_COLUMNS = (
    _Column(heading="Campagne", cell=lambda line: line.campaign, is_number=False),
    _Column(heading="Source", cell=lambda line: line.source, is_number=False),
    _Column(heading="Formulaire", cell=lambda line: FORMS[line.form] if line.form else _ALL_FORMS, is_number=False),
    _Column(heading="Liens courts", cell=lambda line: str(line.links)),
    _Column(heading="Vues article", cell=lambda line: str(line.views)),
    _Column(heading="Vues formulaire", cell=lambda line: str(line.form_views)),
    _Column(heading="% des vues", cell=lambda line: _rate(line.form_view_rate)),
    _Column(heading="Demandes", cell=lambda line: str(line.submissions)),
    _Column(heading="% de demandes", cell=lambda line: _rate(line.submission_rate)),
    _Column(heading="Brochures ouvertes", cell=lambda line: str(line.downloads)),
    _Column(heading="% d’ouverture", cell=lambda line: _rate(line.download_rate)),
    _Column(heading="Inscriptions", cell=lambda line: str(line.registrations)),
)


@click.command("report")
@click.option("--since", type=Day(), help="À partir de ce jour (heure de Paris).")
@click.option("--until", type=Day(), help="Jusqu’à ce jour, inclus.")
@click.option("--campaign", help="Le code d’une seule campagne.")
@click.option(
    "--csv",
    "output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Un fichier CSV pour Excel, ou - pour la sortie standard ; sinon un tableau.",
)
@with_appcontext
def report_command(since: date | None, until: date | None, campaign: str | None, output: Path | None) -> None:
    """Montre ce que chaque campagne apporte : vues, demandes, brochures ouvertes, inscriptions."""
    if since and until and since > until:
        raise click.UsageError("--since doit venir avant --until.")
    selection = Selection(since=day_begins(since) if since else None, until=day_ends(until) if until else None)
    try:
        with reading():
            lines = report(db.session(), Period(since=since, until=until, selection=selection), campaign=campaign)
    except CampaignUnknown:
        raise click.ClickException(
            f"aucune campagne n’a le code {campaign}, et personne n’est venu par là ; campaigns list les montre."
        ) from None
    if output is None:
        click.echo(_table(lines))
    elif output == Path("-"):
        sys.stdout.buffer.write(_csv(lines))
    else:
        _write(output, _csv(lines))


def _table(lines: Sequence[Funnel]) -> str:
    if not lines:
        return "Rien à montrer : aucune vue, aucune demande."
    texts = [[column.cell(line) or "–" for column in _COLUMNS] for line in lines]
    rows = [[column.heading for column in _COLUMNS], *texts]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if column.is_number else cell.ljust(width)
        for column, cell, width in zip(_COLUMNS, row, widths, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _csv(lines: Sequence[Funnel]) -> bytes:
    text, dialect = io.StringIO(newline=""), ExcelFr()
    writer = csv.writer(text, delimiter=dialect.delimiter, lineterminator="\r\n")
    writer.writerow([column.heading for column in _COLUMNS])
    for line in lines:
        # Anybody can put anything into a link's utm_source; numbers are ours.
        typed = dialect.typed([column.cell(line) for column in _COLUMNS if not column.is_number])
        writer.writerow([*typed, *(column.cell(line) for column in _COLUMNS if column.is_number)])
    return text.getvalue().encode(dialect.encoding)


def _write(output: Path, content: bytes) -> None:
    try:
        with file_when_complete(output) as stream:
            stream.write(content)
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire {output} : {error.strerror}.") from None
    click.echo(f"Écrit : {output}", err=True)
