"""How long everything is kept, as a table of a page: the code's own (retention.py), whatever the school writes."""

from markupsafe import Markup

from ..privacy.retention import RETENTION, Retention
from ..web.typography import french

_CAPTION = "Durées de conservation"
_HEADS = ("Ce que nous gardons", "Combien de temps")


def retention_table() -> Markup:
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(head) for head in _HEADS)
    rows = Markup("\n").join(_row(retention) for retention in RETENTION.values())
    return Markup(
        '<table class="retention">\n<caption>{}</caption>\n<thead><tr>{}</tr></thead>\n'
        "<tbody>\n{}\n</tbody>\n</table>\n"
    ).format(_CAPTION, heads, rows)


def _row(retention: Retention) -> Markup:
    return Markup('<tr><th scope="row">{}</th><td><strong>{}</strong> {}. <small>{}</small></td></tr>').format(
        french(retention.what), french(str(retention.delay)), french(retention.since), french(retention.reason)
    )
