"""What exports are called on screen."""

from ...exports.columns import FORMS
from ...exports.models import Export, ExportKind
from ...formatters import PARIS, format_number
from ...leads.models import FormName

KINDS = {
    ExportKind.VIEW: "Demandes",
    ExportKind.NEW: "Nouvelles demandes",
    ExportKind.CALL: "À appeler",
    ExportKind.WRITE: "À écrire",
}
DIALECT_LABELS = {"excel-fr": "Excel en français", "rfc4180": "Standard, pour un programme"}
_FILE_NAMES = {
    ExportKind.VIEW: "demandes",
    ExportKind.NEW: "nouvelles",
    ExportKind.CALL: "a-appeler",
    ExportKind.WRITE: "a-ecrire",
}
_FORM_NAMES = {
    FormName.BROCHURE: "brochure",
    FormName.OPEN_DAY: "portes-ouvertes",
    FormName.APPLICATION: "candidature",
}
REQUESTS = ("demande", "demandes")
NEW_REQUESTS = ("demande nouvelle", "demandes nouvelles")
_PEOPLE = ("personne", "personnes")


def title(export: Export) -> str:
    return f"{KINDS[export.kind]} : {FORMS[export.form]}" if export.form else KINDS[export.kind]


def download_name(export: Export) -> str:
    """Return « nouvelles-brochure-2026-11-23-0912.csv »."""
    form = _FORM_NAMES[export.form] if export.form else ""
    parts = [_FILE_NAMES[export.kind], form, f"{export.exported_at.astimezone(PARIS):%Y-%m-%d-%H%M}"]
    return f"{'-'.join(filter(None, parts))}.csv"


def counted_as(kind: ExportKind) -> tuple[str, str]:
    """Return what a row of it is, in the singular and in the plural."""
    return _PEOPLE if kind in (ExportKind.CALL, ExportKind.WRITE) else REQUESTS


def count_label(count: int, words: tuple[str, str] = REQUESTS, *, limit: int | None = None) -> str:
    """Return « 34 demandes », « plus de 1 000 personnes »."""
    one, many = words
    if limit is not None and count > limit:
        return f"plus de {format_number(limit)} {many}"
    if count == 0:
        return f"aucune {one}"
    return f"{format_number(count)} {one if count == 1 else many}"
