"""What is asked of the report: its address, read with care. What makes no sense is told, and left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ...campaigns.attribution import LIMIT
from ...leads.models import FormName
from ...reports.questions import Axis, Question
from ...web.fields import legible
from ..days import parse_day

# Days shown unless others are asked for, and at most day by day.
_USUAL = 30
_DAILY = 400
AXES = {
    "campagne": Axis.CAMPAIGN,
    "source": Axis.SOURCE,
    "formulaire": Axis.FORM,
    "article": Axis.ARTICLE,
    "jour": Axis.DAY,
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`par` is how the address names the axis; `parameters` are the ones that lead here again, without it."""

    par: str
    question: Question
    notices: tuple[str, ...]

    @property
    def axis(self) -> Axis:
        return AXES[self.par]

    @property
    def parameters(self) -> dict[str, str]:
        question = self.question
        values = {
            "du": question.since.isoformat(),
            "au": question.until.isoformat(),
            "campagne": question.campaign,
            "source": question.source,
            "formulaire": question.form,
            "article": question.article,
        }
        return {name: value for name, value in values.items() if value}


def read_question(arguments: Mapping[str, str], *, today: date) -> Asked:
    notices: list[str] = []
    par = arguments.get("par", "")
    par = par if par in AXES else "campagne"
    since, until = _period(arguments, today, notices)
    if AXES[par] is Axis.DAY and (until - since).days >= _DAILY:
        since = until - timedelta(days=_DAILY - 1)
        notices.append(f"Jour par jour, la période a {_DAILY} jours au plus : en voici les derniers.")
    form = arguments.get("formulaire", "")
    question = Question(
        since=since,
        until=until,
        campaign=_text(arguments, "campagne"),
        source=_text(arguments, "source"),
        form=FormName(form) if form in set(FormName) else None,
        article=_text(arguments, "article"),
    )
    return Asked(par=par, question=question, notices=tuple(notices))


def _period(arguments: Mapping[str, str], today: date, notices: list[str]) -> tuple[date, date]:
    typed = [arguments.get(name, "") for name in ("du", "au")]
    since, until = (parse_day(text) for text in typed)
    if any(text and day is None for text, day in zip(typed, (since, until), strict=True)):
        notices.append("Une date n’a pas été comprise : elle est laissée de côté.")
    if since and until and since > until:
        notices.append("La période finissait avant de commencer : voici les trente derniers jours.")
        since = until = None
    until = until or max(today, since or today)
    return since or until - timedelta(days=_USUAL - 1), until


def _text(arguments: Mapping[str, str], name: str) -> str | None:
    return legible(arguments.get(name, "")[:LIMIT]).strip() or None
