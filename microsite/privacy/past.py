"""What stays of submissions that aren't kept: how many came in a month, by form, campaign and source."""

from collections import Counter
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ..campaigns.services import counted_text
from ..db import insert_into
from ..formatters import PARIS
from ..leads.models import HELD, FormName, Submission
from .models import PastSubmission

_KEY = ("month", "form", "campaign", "source")

_Month = tuple[date, FormName, str, str]


def keep_totals(session: Session, chosen: ColumnElement[bool]) -> None:
    """Add those of the chosen submissions that count to their month's totals, before they go."""
    counting = chosen, Submission.status.not_in(HELD), Submission.is_sample.is_(False)
    columns = Submission.submitted_at, Submission.form, Submission.utm_campaign, Submission.utm_source
    came = session.execute(select(*columns).where(*counting).execution_options(yield_per=1000))
    counts = Counter(
        (_month_of(at), form, counted_text(campaign), counted_text(source)) for at, form, campaign, source in came
    )
    if counts:
        _add(session, counts)


def count_past(session: Session, *, since: date, until: date, form: FormName | None = None) -> int:
    """How many of the submissions of these days' months aren't kept any more."""
    months = PastSubmission.month.between(since.replace(day=1), until)
    counted = select(func.coalesce(func.sum(PastSubmission.count), 0)).where(months)
    if form is not None:
        counted = counted.where(PastSubmission.form == form)
    return int(session.execute(counted).scalar_one())


def _add(session: Session, counts: Counter[_Month]) -> None:
    insert = insert_into(session, PastSubmission)
    added = PastSubmission.count + insert.excluded.count
    # In one order for everybody: two who add to the same months never wait for each other.
    rows = [dict(zip(_KEY, key, strict=True), count=count) for key, count in sorted(counts.items())]
    session.execute(insert.on_conflict_do_update(index_elements=_KEY, set_={"count": added}), rows)


def _month_of(moment: datetime) -> date:
    return moment.astimezone(PARIS).date().replace(day=1)
