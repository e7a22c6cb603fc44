"""A link to the personal page; what people ask about their data, for admissions and as a receipt for them."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..formatters import PARIS, format_long_day
from ..leads.emails import SPACE_LIFETIME, content_for, find_submission, sample_submission
from ..leads.models import FormName, Submission
from ..outbox.emails import EmailContent, composes
from ..web.context import current_school
from ..web.links import public_url
from .data_requests import ACCESS_EMAIL, RECEIPT_EMAIL, REQUEST_EMAIL, a_month_after
from .models import PrivacyRequest, RequestKind
from .queries import find_latest

# The back-office's page about a request: only its address is needed here.
REQUEST = "backoffice.data_request"
KINDS = {RequestKind.COPY: "Copie des données", RequestKind.ERASURE: "Effacement des données"}


def _find_asker(session: Session, cause: str) -> Submission | None:
    return find_submission(session, cause.partition(".")[0])


@composes(ACCESS_EMAIL, find=_find_asker, sample=lambda: sample_submission(FormName.BROCHURE))
def compose_access(submission: Submission) -> EmailContent:
    return content_for(submission, days=SPACE_LIFETIME.days)


def _find_open(session: Session, cause: str) -> tuple[PrivacyRequest, Submission] | None:
    """Find a request that is still open, and what its owner sent last."""
    request = session.get(PrivacyRequest, int(cause))
    if request is None or request.lead_id is None or request.done_at is not None:
        return None
    submission = find_latest(session, request.lead_id)
    return (request, submission) if submission else None


def _sample_open() -> tuple[PrivacyRequest, Submission]:
    asked_at = datetime(2027, 1, 4, 9, 30, tzinfo=PARIS)
    request = PrivacyRequest(id=1, kind=RequestKind.COPY, asked_at=asked_at, due_at=a_month_after(asked_at))
    return request, sample_submission(FormName.OPEN_DAY)


@composes(REQUEST_EMAIL, find=_find_open, sample=_sample_open)
def compose_request(found: tuple[PrivacyRequest, Submission]) -> EmailContent:
    request, submission = found
    values = _facts(request) | {
        "name": f"{submission.first_name} {submission.last_name}",
        "reference": submission.reference,
        "url": public_url(REQUEST, request_id=request.id),
    }
    return EmailContent(to=current_school().mail.admissions, values=values)


@composes(RECEIPT_EMAIL, find=_find_open, sample=_sample_open)
def compose_receipt(found: tuple[PrivacyRequest, Submission]) -> EmailContent:
    request, submission = found
    return content_for(submission, **_facts(request))


def _facts(request: PrivacyRequest) -> dict[str, Any]:
    return {
        "kind": KINDS[request.kind],
        "is_erasure": request.kind is RequestKind.ERASURE,
        "asked": format_long_day(request.asked_at),
        "due": format_long_day(request.due_at),
    }
