"""Taking samples out again: whatever was made, and nothing that a person has sent. Callers commit."""

from collections.abc import Iterator

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from ..brochures.models import BrochureDownload
from ..campaigns.models import Campaign, ViewCount
from ..leads.models import Consent, Lead, Submission
from ..open_days.models import Alert, Registration
from ..open_days.samples import remove_samples as remove_sample_days
from ..outbox.models import OutgoingMail
from ..privacy.models import PrivacyRequest
from .arrivals import MARK

_BATCH = 5000
_OF_SUBMISSIONS = (
    BrochureDownload.submission_id,
    Registration.submission_id,
    Alert.submission_id,
    Consent.submission_id,
)
_OF_LEADS = (OutgoingMail.lead_id, Consent.lead_id, Registration.lead_id, Alert.lead_id, PrivacyRequest.lead_id)


def remove_samples(session: Session) -> Iterator[int]:
    """How many submissions are gone so far, after each batch; the caller commits before going on."""
    gone = 0
    while ids := _next(session, Submission):
        own = Submission.is_sample, Submission.id <= ids[-1]
        for column in _OF_SUBMISSIONS:
            session.execute(delete(column.class_).where(column.in_(select(Submission.id).where(*own))))
        session.execute(delete(Submission).where(*own))
        gone += len(ids)
        yield gone
    _keep_those_who_wrote(session)
    while ids := _next(session, Lead):
        own = Lead.is_sample, Lead.id <= ids[-1]
        for column in _OF_LEADS:
            session.execute(delete(column.class_).where(column.in_(select(Lead.id).where(*own))))
        session.execute(delete(Lead).where(*own))
        yield gone
    _remove_efforts(session)
    remove_sample_days(session)
    yield gone


def _next(session: Session, model: type[Lead] | type[Submission]) -> list[int]:
    return list(session.scalars(select(model.id).where(model.is_sample).order_by(model.id).limit(_BATCH)))


def _keep_those_who_wrote(session: Session) -> None:
    """Somebody has typed an invented address into a form: that form stays, hence so does its lead."""
    sent = Submission.lead_id == Lead.id
    times = {
        "created_at": select(func.min(Submission.submitted_at)).where(sent).scalar_subquery(),
        "last_contact_at": select(func.max(Submission.submitted_at)).where(sent).scalar_subquery(),
    }
    session.execute(update(Lead).where(Lead.is_sample, exists().where(sent)).values(is_sample=False, **times))


def _remove_efforts(session: Session) -> None:
    marked = Campaign.code.startswith(f"{MARK}-", autoescape=True)
    seen = ViewCount.campaign.startswith(f"{MARK}-", autoescape=True)
    session.execute(delete(Campaign).where(marked))
    session.execute(delete(ViewCount).where(or_(seen, ViewCount.source == MARK)))
