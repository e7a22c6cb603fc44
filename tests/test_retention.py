"""How long everything is kept: calendar years to the second, and the page that says so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from microsite.content_files import ContentError
from microsite.privacy.retention import RETENTION, Delay, Rule
from microsite.web.typography import french

from .conftest import Environ
from .page import CheckedClient

THREE_YEARS, NINETY_DAYS = Delay(years=3), Delay(span=timedelta(days=90))
SECOND = timedelta(seconds=1)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
LEAP = datetime(2024, 2, 29, 1, tzinfo=UTC)


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("happened", "due"),
    [
        ("2024-01-31T10:00:00", "2027-01-31T10:00:00"),
        # The last second of the year, and of the day in Paris: UTC decides.
        ("2023-12-31T23:59:59", "2026-12-31T23:59:59"),
        ("2024-06-30T22:00:00", "2027-06-30T22:00:00"),
        # A day that has no anniversary.
        ("2024-02-28T23:59:59", "2027-02-28T23:59:59"),
        ("2024-02-29T00:00:00", "2027-03-01T00:00:00"),
        ("2024-02-29T23:59:59", "2027-03-01T00:00:00"),
        ("2024-03-01T00:00:00", "2027-03-01T00:00:00"),
    ],
)
def test_three_years_end_on_the_second(happened: str, due: str) -> None:
    moment, end = _at(happened), _at(due)

    assert THREE_YEARS.after(moment) == end
    assert moment <= THREE_YEARS.before(end)
    assert moment > THREE_YEARS.before(end - SECOND)


@given(happened=MOMENTS, now=MOMENTS, delay=st.sampled_from([entry.delay for entry in RETENTION.values()]))
@example(happened=datetime(2025, 2, 28, 23, tzinfo=UTC), now=datetime(2028, 2, 29, 1, tzinfo=UTC), delay=THREE_YEARS)
@example(happened=datetime(2025, 3, 1, tzinfo=UTC), now=datetime(2028, 2, 29, 23, tzinfo=UTC), delay=THREE_YEARS)
@example(happened=LEAP, now=datetime(2027, 3, 1, tzinfo=UTC), delay=THREE_YEARS)
def test_what_is_due_is_told_the_same_from_either_side(happened: datetime, now: datetime, delay: Delay) -> None:
    assert (happened <= delay.before(now)) == (delay.after(happened) <= now)


@given(one=MOMENTS, other=MOMENTS)
@example(one=LEAP - 2 * timedelta(hours=1), other=LEAP)
def test_what_happened_first_is_due_first(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))

    assert THREE_YEARS.after(first) <= THREE_YEARS.after(second)


def test_delays_are_told_in_words() -> None:
    assert [str(delay) for delay in (THREE_YEARS, Delay(years=1), NINETY_DAYS, Delay(span=timedelta(hours=1)))] == [
        "3 ans",
        "1 an",
        "90 jours",
        "1 heure",
    ]


def test_nobody_comes_back_from_a_backup_once_off_the_list() -> None:
    now = _at("2027-01-01T00:00:00")

    assert RETENTION[Rule.BACKUPS].delay.after(now) < RETENTION[Rule.SUPPRESSION].delay.after(now)


# The database's trigger refuses to let younger entries go (migration 0007).
def test_the_log_is_kept_as_long_as_the_database_keeps_it() -> None:
    now = _at("2027-01-01T00:00:00")

    assert RETENTION[Rule.AUDIT].delay.after(now) > now + timedelta(days=180)


def test_confidentialite_prints_the_table_of_the_code(client: CheckedClient) -> None:
    table = client.page("/confidentialite").one("table.retention")

    rows = [[cell.text() for cell in row.css("th, td")] for row in table.css("tbody tr")]
    assert rows == [
        [french(entry.what), french(f"{entry.delay} {entry.since}. {entry.reason}")] for entry in RETENTION.values()
    ]
    assert [head.attributes["scope"] for head in table.css("thead th")] == ["col", "col"]
    assert len(table.css("tbody th[scope=row]")) == len(RETENTION)


def test_an_own_page_without_the_table_is_refused(environ: Environ, make_app: Callable[..., Flask]) -> None:
    page = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content/legal/confidentialite.md"
    page.parent.mkdir(parents=True)
    page.write_text('+++\ntitle = "Confidentialité"\n+++\nTrois ans.\n')

    with pytest.raises(ContentError, match="::: conservation"):
        make_app()
