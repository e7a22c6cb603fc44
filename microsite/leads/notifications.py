"""Telling admissions: of each request at once, or of an hour's or a day's in one mail."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..outbox.models import Audience
from ..outbox.queries import last_decided
from ..outbox.services import enqueue
from ..school import PARIS
from .models import Submission, SubmissionStatus

EACH = "notification"
DIGEST = "digest"

# When the daily digest is made, in Paris.
_MORNING = time(8)
# What is sent just before the end of a period may be kept a moment after it.
_GRACE = timedelta(minutes=1)
# Further back than this a digest doesn't look: after an outage of mails, or a change of the setting.
_LONGEST = timedelta(days=7)


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


def notify(session: Session, submission: Submission, *, every: str, now: datetime) -> None:
    """Decide the mail that tells admissions of this submission, if each has its own."""
    if every == "each":
        enqueue(
            session,
            template=EACH,
            cause=submission.reference,
            lead_id=submission.lead_id,
            audience=Audience.ADMISSIONS,
            now=now,
        )


def find_digest_period(session: Session, *, every: str, now: datetime) -> Period | None:
    """The period that a digest is due for: it has ended, and something came in that admissions weren't told of."""
    end = _last_end(every, now - _GRACE)
    if end is None:
        return None
    period = Period(start=max(_told_until(session, end, every), end - _LONGEST), end=end)
    return period if period.start < end and find_submissions(session, period, limit=1) else None


def decide_digest(session: Session, period: Period, *, now: datetime) -> None:
    enqueue(session, template=DIGEST, cause=str(period), audience=Audience.ADMISSIONS, now=now)


def find_submissions(session: Session, period: Period, *, limit: int | None = None) -> list[Submission]:
    """What came in and counts, oldest first."""
    came = (Submission.submitted_at >= period.start, Submission.submitted_at < period.end)
    counts = Submission.status != SubmissionStatus.QUARANTINED
    statement = select(Submission).where(*came, counts).order_by(Submission.submitted_at, Submission.id)
    return list(session.scalars(statement.limit(limit)))


def _last_end(every: str, now: datetime) -> datetime | None:
    local = now.astimezone(PARIS)
    if every == "hourly":
        return now.replace(minute=0, second=0, microsecond=0)
    if every == "daily":
        day = local.date() if local.time() >= _MORNING else local.date() - timedelta(days=1)
        return datetime.combine(day, _MORNING, tzinfo=PARIS).astimezone(now.tzinfo)
    return None


def _told_until(session: Session, end: datetime, every: str) -> datetime:
    """Up to when admissions were told, by a digest or mail by mail; if never, one period before its end."""
    digest, single = last_decided(session, template=DIGEST), last_decided(session, template=EACH)
    told = [end - (timedelta(hours=1) if every == "hourly" else timedelta(days=1))]
    if digest is not None:
        told = [Period.parse(digest.cause).end]
    if single is not None:
        # The request that this mail tells of came at that moment.
        told.append(single.decided_at + timedelta(microseconds=1))
    return max(told)
