"""/admissions/contacts: the list of leads, and of what is held back. What it shows is its address."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response, make_response, render_template, request, url_for
from sqlalchemy import select

from ...campaigns.models import Campaign
from ...db import db, writing
from ...exports.columns import FORMS
from ...formatters import format_number
from ...leads.disposable import is_disposable
from ...leads.filters import LeadFilter, Sort, State
from ...leads.lists import COUNTED, Cursor, Page, cursor_from, list_held, list_leads
from ...leads.models import Lead, Submission
from ...leads.phones import dialled_from_france
from ...leads.queries import latest_submissions, standing_channels
from ...leads.unasked import find_unasked
from ...privacy.retention import RETENTION, Rule
from ...web.context import current_school, utc_now
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from .words import AGREEMENTS, SORTS, STATES, came, described, typed

# Codes offered while one types a campaign's.
_CAMPAIGNS = 200


@dataclass(frozen=True, kw_only=True)
class ListedLead:
    id: int
    name: str
    email: str
    phone: str
    latest: str
    channels: dict[str, bool]
    is_unasked: bool
    needs_review: bool
    is_sample: bool
    is_disposable: bool
    last_contact_at: datetime
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class ListedSubmission:
    id: int
    name: str
    reference: str
    form: str
    submitted_at: datetime
    email: str
    is_sample: bool
    is_disposable: bool
    typed: list[tuple[str, str]]
    came: list[tuple[str, str]]


@bp.get("/contacts")
@for_roles(ADMISSIONS)
def leads() -> Response:
    chosen = LeadFilter.from_args(request.args)
    cursor = cursor_from(request.args, chosen)
    if chosen.is_of_submissions:
        held = list_held(db.session(), chosen, cursor)
        return _show("backoffice/held.html", chosen, held, [_listed_submission(row) for row in held.rows])
    page = list_leads(db.session(), chosen, cursor)
    return _show("backoffice/leads.html", chosen, page, _listed_leads(page.rows))


def _show(
    template: str,
    chosen: LeadFilter,
    page: Page[Lead] | Page[Submission],
    rows: list[ListedLead] | list[ListedSubmission],
) -> Response:
    codes = db.session.scalars(select(Campaign.code).order_by(Campaign.id.desc()).limit(_CAMPAIGNS)).all()
    with writing():
        action = "held listed" if chosen.is_of_submissions else "leads listed"
        note(db.session(), action, staff_id=current_staff().id, now=utc_now(), lignes=len(rows), **chosen.summary())
    values = {
        "states": [(label, _address(chosen, state=state), state is chosen.state) for state, label in STATES.items()],
        "forms": {form.value: label for form, label in FORMS.items()},
        "programmes": current_school().programmes,
        "agreements": AGREEMENTS,
        "sorts": SORTS,
        "campaigns": codes,
        "narrowed": _narrowed(chosen),
        "count": _count(page.total, is_of_submissions=chosen.is_of_submissions),
        "before": page.before and _address(chosen, cursor=page.before),
        "after": page.after and _address(chosen, cursor=page.after),
        "kept": str(RETENTION[Rule.SPAM if chosen.state is State.SPAM else Rule.QUARANTINED].delay),
        "sorted_by": {sort: _sorted(chosen, sort) for sort in Sort},
    }
    return make_response(render_template(template, chosen=chosen, rows=rows, **values))


def _narrowed(chosen: LeadFilter) -> list[tuple[str, str]]:
    """What the folded part of the form says: filters, and an order that isn't the usual one."""
    said = [pair for pair in described(chosen, current_school()) if pair[0] not in ("Liste", "Recherche")]
    if chosen.sort is not Sort.CONTACT or chosen.is_reversed:
        said.append(("Ordre", SORTS[chosen.sort] + (", inverse" if chosen.is_reversed else "")))
    return said


def _listed_leads(rows: list[Lead]) -> list[ListedLead]:
    ids = [lead.id for lead in rows]
    latest, channels = latest_submissions(db.session(), ids), standing_channels(db.session(), ids)
    unasked = find_unasked(db.session(), ids)
    return [
        ListedLead(
            id=lead.id,
            name=f"{lead.first_name} {lead.last_name}",
            email=lead.email,
            phone=dialled_from_france(lead.phone) if lead.phone else "",
            latest=_asked(latest.get(lead.id)),
            channels=channels[lead.id],
            is_unasked=lead.id in unasked,
            needs_review=lead.needs_review,
            is_sample=lead.is_sample,
            is_disposable=is_disposable(lead.email),
            last_contact_at=lead.last_contact_at,
            created_at=lead.created_at,
        )
        for lead in rows
    ]


def _listed_submission(row: Submission) -> ListedSubmission:
    return ListedSubmission(
        id=row.id,
        name=f"{row.first_name} {row.last_name}",
        reference=row.reference,
        form=FORMS[row.form],
        submitted_at=row.submitted_at,
        email=row.email,
        is_sample=row.is_sample,
        is_disposable=is_disposable(row.email),
        typed=typed(row, current_school()),
        came=came(row, current_school()),
    )


def _asked(submission: Submission | None) -> str:
    if submission is None:
        return ""
    programme = submission.programme and current_school().programmes.get(submission.programme, submission.programme)
    return " · ".join(filter(None, (FORMS[submission.form], programme)))


def _address(chosen: LeadFilter, *, cursor: Cursor | None = None, **changes: State | Sort | bool | None) -> str:
    place = {"avant" if cursor.is_backward else "apres": str(cursor)} if cursor else {}
    return url_for("backoffice.leads", **(chosen.args(**changes) | place))


def _sorted(chosen: LeadFilter, sort: Sort) -> tuple[str, str]:
    """Where a column's heading leads, and how the column is sorted now (ARIA, "aria-sort")."""
    is_it = chosen.sort is sort
    is_rising = (sort is Sort.NAME) is not chosen.is_reversed
    address = _address(chosen, sort=sort, is_reversed=is_it and not chosen.is_reversed)
    return address, ("ascending" if is_rising else "descending") if is_it else ""


def _count(total: int | None, *, is_of_submissions: bool) -> str:
    if total is None:
        return ""
    one, many = ("envoi", "envois") if is_of_submissions else ("contact", "contacts")
    if total > COUNTED:
        return f"Plus de {format_number(COUNTED)} {many}"
    return f"{format_number(total)} {one if total == 1 else many}" if total else f"Aucun {one}"
