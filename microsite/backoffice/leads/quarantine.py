"""/admissions/quarantaine/…: what was held back, released or confirmed as spam, one or several at once."""

from collections.abc import Callable

from flask import Response, abort, make_response, redirect, request, url_for

from ...db import LARGEST_ID, db
from ...leads.filters import LeadFilter
from ...leads.lists import PAGE
from ...leads.models import Submission
from ...leads.services import confirm_spam, hold_again
from ...quarantine import Judge, judge_all, release_all
from ...web.context import current_settings, utc_now
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp

# A page of the list.
AT_ONCE = PAGE


@bp.post("/quarantaine/levee")
@for_roles(ADMISSIONS)
def release_held() -> Response:
    def let_go(ids: set[int], done: Judge) -> int:
        every = current_settings().notify_admissions
        return release_all(db.session(), ids, notify_every=every, now=utc_now(), done=done)

    return _judge_ticked(let_go, action="submission released", done="quarantaine-levee")


@bp.post("/quarantaine/indesirables")
@for_roles(ADMISSIONS)
def confirm_held() -> Response:
    return _judge(confirm_spam, action="submission spam", done="indesirables")


@bp.post("/quarantaine/retour")
@for_roles(ADMISSIONS)
def hold_spam_again() -> Response:
    return _judge(hold_again, action="submission held", done="remis-en-quarantaine")


def _judge(judge: Judge, *, action: str, done: str) -> Response:
    def judge_each(ids: set[int], then: Judge) -> int:
        def judge_one(submission: Submission) -> None:
            judge(submission)
            then(submission)

        return judge_all(db.session(), ids, judge_one)

    return _judge_ticked(judge_each, action=action, done=done)


def _judge_ticked(judge: Callable[[set[int], Judge], int], *, action: str, done: str) -> Response:
    """All that are ticked, each noted in the audit log."""
    ids = {number for number in request.form.getlist("id", type=int) if 0 < number <= LARGEST_ID}
    if len(ids) > AT_ONCE:
        abort(400)
    if not ids:
        return _back("rien-coche")

    def note_it(submission: Submission) -> None:
        staff_id, now = current_staff().id, utc_now()
        note(db.session(), action, staff_id=staff_id, now=now, subject="submission", subject_id=submission.id)

    count = judge(ids, note_it)
    db.session.commit()
    return _back(done if count == len(ids) else "deja-traites")


def _back(done: str) -> Response:
    """To the list as it was filtered."""
    chosen = LeadFilter.from_args(request.args)
    return make_response(redirect(url_for("backoffice.leads", **chosen.args(), fait=done)), 303)
