"""When people write: through school years, weeks and hours, as a school's visitors do."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate

from ..formatters import PARIS

DAYS = 730
# January to December: Parcoursup's wishes, salons, and a summer when nobody thinks of it.
_MONTHS = (1.9, 1.6, 1.8, 1.0, 0.8, 0.6, 0.4, 0.35, 0.9, 1.1, 1.6, 1.1)
# Monday to Sunday.
_WEEKDAYS = (1.1, 1.1, 1.15, 1.0, 0.85, 0.8, 1.0)
_HOURS = (8, 4, 2, 1, 1, 1, 3, 10, 18, 24, 28, 30, 42, 38, 30, 30, 38, 52, 58, 56, 58, 56, 40, 20)
_HOURS_ADDED = tuple(accumulate(_HOURS))


def draw_moments(rng: random.Random, count: int, *, now: datetime) -> Iterator[list[datetime]]:
    """So many moments of the two years until now, in order, day by day in Paris."""
    today = now.astimezone(PARIS)
    days = [today.date() - timedelta(days=number) for number in range(DAYS - 1, -1, -1)]
    weights = [_weight(rng, day) for day in days]
    # What is left of today hasn't been yet.
    weights[-1] *= _HOURS_ADDED[today.hour] / _HOURS_ADDED[-1]
    added, total, given = 0.0, sum(weights), 0
    for day, weight in zip(days, weights, strict=True):
        added += weight
        until = count if day == days[-1] else int(count * added / total)
        yield sorted(_moment(rng, day, now) for _ in range(until - given))
        given = until


def _weight(rng: random.Random, day: date) -> float:
    return _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()] * rng.uniform(0.75, 1.25)


def _moment(rng: random.Random, day: date, now: datetime) -> datetime:
    (hour,) = rng.choices(range(24), cum_weights=_HOURS_ADDED)
    spot = time(hour, rng.randrange(60), rng.randrange(60), rng.randrange(1_000_000))
    moment = datetime.combine(day, spot, tzinfo=PARIS).astimezone(UTC)
    return moment if moment <= now else now - timedelta(seconds=rng.uniform(1, 3600))
