"""Filling a database with samples, and taking them out again. Each batch is a transaction that the caller commits."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..campaigns.services import add_campaign
from ..formatters import PARIS
from ..leads.consents import kept_wording
from ..leads.models import Lead, Submission
from ..school import School
from .arrivals import Arrivals
from .batches import batches, write
from .drafts import Drafter
from .moments import DAYS, draw_moments
from .references import References
from .seats import Seats

_BATCH = 2000


@dataclass(frozen=True, kw_only=True)
class Order:
    """The same order at the same moment makes the same samples."""

    submissions: int
    seed: int
    now: datetime
    articles: Sequence[str]


def has_samples(session: Session) -> bool:
    return any(session.scalar(select(model.id).where(model.is_sample).limit(1)) for model in (Lead, Submission))


def count_samples(session: Session) -> int:
    return session.execute(select(func.count(Submission.id)).where(Submission.is_sample)).scalar_one()


def has_people(session: Session) -> bool:
    """Whether anybody real has written."""
    return session.scalar(select(Submission.id).where(Submission.is_sample.is_(False)).limit(1)) is not None


def make_samples(session: Session, order: Order, school: School) -> Iterator[int]:
    """How many submissions there are so far, after each batch; the caller commits before going on."""
    rng = random.Random(order.seed)  # noqa: S311  # no secret
    drafter = _prepare(session, order, school, rng)
    yield 0
    moments = chain.from_iterable(draw_moments(rng, order.submissions, now=order.now))
    made = 0
    for some in batches(moments, _BATCH):
        drafts = [drafter.draft(at) for at in some]
        views, drafter.views = drafter.views, Counter()
        write(session, drafts, views)
        made += len(drafts)
        yield made


def _prepare(session: Session, order: Order, school: School, rng: random.Random) -> Drafter:
    today = order.now.astimezone(PARIS).date()
    arrivals = Arrivals(rng, since=today - timedelta(days=DAYS), until=today, articles=order.articles)
    for plan in arrivals.plans():
        add_campaign(session, plan, now=order.now)
    taken = frozenset(session.scalars(select(Submission.reference)))
    wordings = {channel: kept_wording(session, wording) for channel, wording in school.wordings.items()}
    return Drafter(
        rng,
        school=school,
        wordings=wordings,
        arrivals=arrivals,
        seats=Seats(session, count=order.submissions, now=order.now),
        references=References(rng, taken=taken),
        now=order.now,
    )
