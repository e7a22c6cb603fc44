"""The invariant of notifications to admissions: a mail for each submission, or the digest of its hour or day."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from microsite.leads.models import Submission
from microsite.leads.notifications import DIGEST_EMAIL, NOTIFICATION_EMAIL, Period
from microsite.outbox.models import OutgoingMail

from .scope import Invariants, Scope

# The setting may have been another one before, so nobody knows which mails there must be.
_LATELY = timedelta(days=2)


def notification_invariants(scope: Scope) -> Invariants:
    if scope.notify_every == "none":
        return {}
    by_digest_or_none = _counting(max(scope.mails_since, scope.now - _LATELY)).where(~_has_own_mail())

    def search(session: Session) -> Iterator[str]:
        since = _first_notified(session)
        periods = _digests(session)
        for reference, at in session.execute(by_digest_or_none):
            if since is not None and at >= since and not any(period.start <= at < period.end for period in periods):
                yield reference

    return {"admissions are notified of each submission": search}


def _counting(since: datetime) -> Select[str, datetime]:
    """What forms brought since then: nobody is notified of those who come unregistered, whom staff register."""
    counts = Submission.lead_id.is_not(None), Submission.is_sample.is_(False), Submission.landing_path != ""
    return select(Submission.reference, Submission.submitted_at).where(*counts, Submission.submitted_at >= since)


def _has_own_mail() -> ColumnElement[bool]:
    return exists().where(OutgoingMail.template == NOTIFICATION_EMAIL.name, OutgoingMail.cause == Submission.reference)


def _digests(session: Session) -> list[Period]:
    return [
        Period.parse(cause)
        for cause in session.scalars(select(OutgoingMail.cause).filter_by(template=DIGEST_EMAIL.name))
    ]


def _first_notified(session: Session) -> datetime | None:
    notified = OutgoingMail.template.in_((NOTIFICATION_EMAIL.name, DIGEST_EMAIL.name))
    return session.scalar(select(func.min(OutgoingMail.decided_at)).where(notified))
