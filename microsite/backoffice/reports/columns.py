"""The report's columns, on screen and as CSV in both dialects."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from ...exports.columns import FORMS
from ...exports.dialects import Dialect
from ...formatters import format_day, format_number
from ...leads.models import FormName
from ...reports.breakdowns import Breakdown, Line
from ...reports.questions import Axis
from ...web.typography import french


@dataclass(frozen=True, kw_only=True)
class Column:
    """`rate` gives a part of one, `count` a number."""

    key: str
    heading: str
    count: Callable[[Line], int] | None = None
    rate: Callable[[Line], float | None] | None = None

    def shown(self, line: Line) -> str:
        """For who reads French: a percentage with a decimal comma, empty where there is nothing to divide by."""
        if self.count is not None:
            return str(self.count(line))
        rate = self.rate(line) if self.rate else None
        return "" if rate is None else f"{100 * rate:.1f}".replace(".", ",")

    def on_screen(self, line: Line) -> str:
        return french(format_number(self.count(line))) if self.count else self.shown(line) or "–"

    def for_programs(self, line: Line) -> str:
        if self.count is not None:
            return str(self.count(line))
        rate = self.rate(line) if self.rate else None
        return "" if rate is None else f"{rate:.4f}"


COLUMNS = (
    Column(key="links", heading="Liens courts", count=lambda line: line.links),
    Column(key="views", heading="Vues article", count=lambda line: line.views),
    Column(key="form_views", heading="Vues formulaire", count=lambda line: line.form_views),
    Column(key="form_view_rate", heading="% des vues", rate=lambda line: line.form_view_rate),
    Column(key="submissions", heading="Demandes", count=lambda line: line.submissions),
    Column(key="submission_rate", heading="% de demandes", rate=lambda line: line.submission_rate),
    Column(key="downloads", heading="Brochures ouvertes", count=lambda line: line.downloads),
    Column(key="download_rate", heading="% d’ouverture", rate=lambda line: line.download_rate),
    Column(key="registrations", heading="Inscriptions", count=lambda line: line.registrations),
)
AXIS_HEADINGS = {
    Axis.CAMPAIGN: "Campagne",
    Axis.SOURCE: "Source",
    Axis.FORM: "Formulaire",
    Axis.ARTICLE: "Article",
    Axis.DAY: "Jour",
}
_NOTHING = {Axis.CAMPAIGN: "Sans campagne", Axis.SOURCE: "Sans source", Axis.ARTICLE: "Sans article"}

_WEEK = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")


def key_label(axis: Axis, key: str) -> str:
    if axis == Axis.FORM:
        return FORMS[FormName(key)]
    if axis == Axis.DAY:
        return format_day(date.fromisoformat(key))
    return key or _NOTHING[axis]


def line_label(axis: Axis, key: str) -> str:
    """On screen a day tells its place in the week: « sam. 21/11/2026 »."""
    label = key_label(axis, key)
    return f"{_WEEK[date.fromisoformat(key).weekday()]} {label}" if axis == Axis.DAY else label


def report_csv(found: Breakdown, axis: Axis, dialect: Dialect) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=dialect.delimiter, lineterminator="\r\n")
    is_french = dialect.has_french_headings
    writer.writerow(
        [AXIS_HEADINGS[axis] if is_french else axis.value, *(_heading(column, dialect) for column in COLUMNS)]
    )
    is_ours = axis in (Axis.FORM, Axis.DAY)
    for line in found.lines:
        # Anybody can put anything into a link's utm_source.
        first = dialect.typed([line.key])[0] if not is_ours else key_label(axis, line.key) if is_french else line.key
        cells = [column.shown(line) if is_french else column.for_programs(line) for column in COLUMNS]
        writer.writerow([first, *cells])
    return text.getvalue().encode(dialect.encoding)


def _heading(column: Column, dialect: Dialect) -> str:
    return column.heading if dialect.has_french_headings else column.key
