"""What admissions are told: each request by a mail of its own, or by the digest of its hour or day."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from ..leads.models import Submission
from ..leads.notifications import DIGEST, EACH, Period
from ..outbox.models import OutgoingMail
from .facts import Fact, Scope, count_of

# The setting may have been another one, or none, before: further back nothing tells which mails there must be.
_LATELY = timedelta(days=2)


def notification_facts(scope: Scope) -> Sequence[Fact]:
    if scope.notify_every == "none":
        return ()
    untold = _counting(max(scope.mails_since, scope.now - _LATELY))

    def search(session: Session) -> Iterator[str]:
        since = _first_told(session)
        periods = _digests(session)
        for reference, at in session.execute(untold.where(~_has_own_mail())):
            if since is not None and at >= since and not any(period.start <= at < period.end for period in periods):
                yield reference

    return (
        Fact(
            name=f"les admissions sont averties de chaque demande, depuis {_LATELY.days} jours",
            of="demande",
            seen=count_of(untold),
            broken=search,
        ),
    )


def _counting(since: datetime) -> Select[str, datetime]:
    """What a form brought since then; whoever comes unregistered is written down at the door, and told to nobody."""
    counts = Submission.lead_id.is_not(None), Submission.is_sample.is_(False), Submission.landing_path != ""
    return select(Submission.reference, Submission.submitted_at).where(*counts, Submission.submitted_at >= since)


def _has_own_mail() -> ColumnElement[bool]:
    return exists().where(OutgoingMail.template == EACH, OutgoingMail.cause == Submission.reference)


def _digests(session: Session) -> list[Period]:
    return [Period.parse(cause) for cause in session.scalars(select(OutgoingMail.cause).filter_by(template=DIGEST))]


def _first_told(session: Session) -> datetime | None:
    told = OutgoingMail.template.in_((EACH, DIGEST))
    return session.scalar(select(func.min(OutgoingMail.decided_at)).where(told))
