"""/admissions/rapport: from views to submissions to brochures opened or seats taken; totals, of nobody."""

from typing import Any

from flask import Response, current_app, make_response, render_template, request, url_for

from ...campaigns.queries import list_campaigns
from ...db import db, writing
from ...exports.columns import FORMS
from ...exports.dialects import Dialect, ExcelFr, Rfc4180
from ...formatters import PARIS
from ...privacy.queries import count_erased_submissions
from ...reports.breakdowns import Breakdown, break_down
from ...reports.questions import Axis, Question
from ...text import sort_key
from ...web.context import utc_now
from ..access import ALL_ROLES, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from .columns import AXIS_HEADINGS, COLUMNS, key_label, line_label, report_csv
from .plots import day_plots
from .question import AXES, Asked, read_question

# Lines on a page, and days, which all are: invented campaigns fill no screen.
_SHOWN = 400
_DIALECTS: dict[str, type[ExcelFr] | type[Rfc4180]] = {"excel": ExcelFr, "rfc4180": Rfc4180}


@bp.get("/rapport")
@for_roles(ALL_ROLES)
def report() -> Response:
    asked, found = _answer()
    planned = list_campaigns(db.session())
    page = render_template(
        "backoffice/report.html",
        asked=asked,
        lines=found.lines[:_SHOWN],
        left_out=max(0, len(found.lines) - _SHOWN),
        total=found.total,
        most=max((line.submissions for line in found.lines), default=0),
        plots=day_plots(found.lines) if asked.axis is Axis.DAY else [],
        columns=COLUMNS,
        axes={par: AXIS_HEADINGS[axis] for par, axis in AXES.items()},
        forms=FORMS,
        articles=current_app.extensions["articles"],
        campaigns=planned,
        sources=sorted({campaign.source for campaign in planned}, key=sort_key),
        past=_count_past(asked.question),
        key_label=key_label,
        line_label=line_label,
        onward=_onward,
    )
    return make_response(page)


@bp.get("/rapport.csv")
@for_roles(ALL_ROLES)
def report_file() -> Response:
    asked, found = _answer()
    dialect: Dialect = _DIALECTS.get(request.args.get("format", ""), ExcelFr)()
    response = make_response(report_csv(found, asked.axis, dialect))
    response.mimetype = "text/csv"
    name = f"rapport-{asked.par}-{asked.question.since}-{asked.question.until}.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    filters = ", ".join(name for name in asked.parameters if name not in ("du", "au"))
    with writing():
        note(
            db.session(),
            "report exported",
            staff_id=current_staff().id,
            now=utc_now(),
            axis=asked.par,
            since=asked.question.since.isoformat(),
            until=asked.question.until.isoformat(),
            filters=filters,
            rows=len(found.lines),
        )
    return response


def _answer() -> tuple[Asked, Breakdown]:
    asked = read_question(request.args, today=utc_now().astimezone(PARIS).date())
    return asked, break_down(db.session(), asked.question, asked.axis)


def _count_past(question: Question) -> int:
    return count_erased_submissions(db.session(), since=question.since, until=question.until, form=question.form)


def _onward(asked: Asked, key: str) -> str | None:
    """Where a line leads: the same report for this key alone, along another axis; None for what can't be asked for."""
    if asked.axis is Axis.DAY:
        query: dict[str, Any] = asked.parameters | {"par": "campagne", "du": key, "au": key}
    elif key:
        query = asked.parameters | {asked.par: key, "par": "source" if asked.axis is Axis.CAMPAIGN else "jour"}
    else:
        return None
    return url_for("backoffice.report", **query)
