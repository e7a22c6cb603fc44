"""Telling admissions: of each request at once, or of an hour's or a day's in one mail."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from ..formatters import PARIS
from ..outbox.emails import Email
from ..outbox.models import Audience, MailStatus, OutgoingMail
from ..outbox.services import enqueue
from .models import HELD, Submission, SubmissionStatus
from .receipts import Receipt

NOTIFICATION_EMAIL = Email(
    name="notification", label="nouvelle demande", owed_by=Submission, audience=Audience.ADMISSIONS
)
DIGEST_EMAIL = Email(name="digest", label="demandes, en résumé", owed_by=Submission, audience=Audience.ADMISSIONS)

# When the daily digest is made, in Paris.
_MORNING = time(8)
# What is sent just before the end of a period may be kept a moment after it.
_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Period:
    """From `start`, included, to `end`, excluded; aware."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """ISO 8601: what a digest's mail keeps as its cause."""
        return f"{self.start.isoformat()}/{self.end.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> "Period":
        start, _, end = text.partition("/")
        return cls(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end))

    @classmethod
    def hour_of(cls, moment: datetime) -> "Period":
        start = moment.replace(minute=0, second=0, microsecond=0)
        return cls(start=start, end=start + timedelta(hours=1))

    @classmethod
    def day_of(cls, moment: datetime) -> "Period":
        """From one morning to the next; 23 or 25 hours when the clocks change."""
        local = moment.astimezone(PARIS)
        day = local.date() if local.time() >= _MORNING else local.date() - timedelta(days=1)
        start, end = (datetime.combine(date, _MORNING, tzinfo=PARIS) for date in (day, day + timedelta(days=1)))
        return cls(start=start.astimezone(moment.tzinfo), end=end.astimezone(moment.tzinfo))


def notify(session: Session, receipt: Receipt, *, every: str, now: datetime) -> None:
    """Decide the mail that tells admissions of this submission, if none is decided yet.

    One released from quarantine has a mail of its own: the digest of its hour may have left.
    """
    if every == "none":
        return
    if every == "each" or receipt.status is SubmissionStatus.RELEASED:
        enqueue(session, NOTIFICATION_EMAIL, cause=receipt.reference, lead_id=receipt.lead_id, now=now)
        return
    period = Period.hour_of(now) if every == "hourly" else Period.day_of(now)
    enqueue(session, DIGEST_EMAIL, cause=str(period), now=now, due_at=period.end + _GRACE)


def find_submissions(session: Session, period: Period) -> list[Submission]:
    """What a digest tells of: what came in, counts, and isn't told by a mail of its own. Oldest first.

    A mail of its own that doesn't leave (refused, beyond the cap, given up) tells nobody.
    """
    came = (Submission.submitted_at >= period.start, Submission.submitted_at < period.end)
    counts = and_(Submission.status.not_in(HELD), Submission.is_sample.is_(False))
    alone = select(OutgoingMail.id).where(
        OutgoingMail.template == NOTIFICATION_EMAIL.name,
        OutgoingMail.cause == Submission.reference,
        OutgoingMail.status.in_((MailStatus.PENDING, MailStatus.SENT)),
    )
    statement = select(Submission).where(*came, counts, ~alone.exists())
    return list(session.scalars(statement.order_by(Submission.submitted_at, Submission.id)))
