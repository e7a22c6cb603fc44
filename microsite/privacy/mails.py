"""A link to the personal page; what people ask about their data, told to admissions and confirmed to them."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..leads.mails import SPACE_LIFETIME, find_subject, letter_to, sample_submission
from ..leads.models import FormName, Submission
from ..outbox.letters import Letter, MailTemplate
from ..school import PARIS
from ..web.context import current_school, french_date
from ..web.links import public_url
from .data_requests import ACCESS, NOTED, TOLD, a_month_after
from .models import PrivacyRequest, RequestKind
from .queries import find_latest

# The back-office's page about a request: only its address is needed here.
REQUEST = "backoffice.data_request"
KINDS = {RequestKind.COPY: "Copie des données", RequestKind.ERASURE: "Effacement des données"}


def _compose_access(session: Session, cause: str) -> Letter | None:
    submission = find_subject(session, cause.partition(".")[0])
    return _access(submission) if submission else None


def _access(submission: Submission) -> Letter:
    return letter_to(submission, days=SPACE_LIFETIME.days)


def _sample_access() -> Letter:
    return _access(sample_submission(FormName.BROCHURE))


def _compose_told(session: Session, cause: str) -> Letter | None:
    request, submission = _find(session, cause)
    return _told(request, submission) if request and submission else None


def _told(request: PrivacyRequest, submission: Submission) -> Letter:
    values = _facts(request) | {
        "name": f"{submission.first_name} {submission.last_name}",
        "reference": submission.reference,
        "url": public_url(REQUEST, request_id=request.id),
    }
    return Letter(to=current_school().mail.admissions, values=values)


def _sample_told() -> Letter:
    return _told(_sample_request(), sample_submission(FormName.OPEN_DAY))


def _compose_noted(session: Session, cause: str) -> Letter | None:
    request, submission = _find(session, cause)
    return _noted(request, submission) if request and submission else None


def _noted(request: PrivacyRequest, submission: Submission) -> Letter:
    return letter_to(submission, **_facts(request))


def _sample_noted() -> Letter:
    return _noted(_sample_request(), sample_submission(FormName.OPEN_DAY))


def _find(session: Session, cause: str) -> tuple[PrivacyRequest | None, Submission | None]:
    """A request that is open still, and what its owner sent last."""
    request = session.get(PrivacyRequest, int(cause))
    if request is None or request.lead_id is None or request.done_at is not None:
        return None, None
    return request, find_latest(session, request.lead_id)


def _facts(request: PrivacyRequest) -> dict[str, Any]:
    return {
        "kind": KINDS[request.kind],
        "is_erasure": request.kind is RequestKind.ERASURE,
        "asked": french_date(request.asked_at),
        "due": french_date(request.due_at),
    }


def _sample_request() -> PrivacyRequest:
    asked_at = datetime(2027, 1, 4, 9, 30, tzinfo=PARIS)
    return PrivacyRequest(id=1, kind=RequestKind.COPY, asked_at=asked_at, due_at=a_month_after(asked_at))


MAILS = {
    ACCESS: MailTemplate(compose=_compose_access, sample=_sample_access),
    TOLD: MailTemplate(compose=_compose_told, sample=_sample_told),
    NOTED: MailTemplate(compose=_compose_noted, sample=_sample_noted),
}
