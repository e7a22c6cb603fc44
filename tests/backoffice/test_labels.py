"""Codes and days in French."""

from datetime import date
from typing import Any

import pytest

from microsite.backoffice.labels import campaign_days, details_label, subject_label
from microsite.backoffice.models import AuditEntry
from microsite.backoffice.reports.columns import line_label
from microsite.campaigns.models import Campaign
from microsite.reports.questions import Axis

FIRST, LAST = date(2026, 11, 20), date(2026, 11, 22)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "words"),
    [
        (FIRST, LAST, "du 20/11/2026 au 22/11/2026"),
        (FIRST, FIRST, "le 20/11/2026"),
        (FIRST, None, "dès le 20/11/2026"),
        (None, LAST, "jusqu’au 22/11/2026"),
        (None, None, "sans date"),
    ],
)
def test_days_of_a_campaign_read_like_a_sentence(starts_on: date | None, ends_on: date | None, words: str) -> None:
    assert campaign_days(Campaign(starts_on=starts_on, ends_on=ends_on)) == words


@pytest.mark.parametrize(
    ("subject", "subject_id", "details", "words"),
    [
        ("lead", 12, {}, ("contact 12", "")),
        ("slot", 3, {"rows": 5}, ("créneau 3", "lignes : 5")),
        ("registration", 8, {"is_repeated": False}, ("inscription 8", "déjà notée : non")),
        ("mail", None, {"ids": [4, 5]}, ("message", "messages : 4, 5")),
        ("", None, {"etat": "a-verifier", "lignes": 9}, ("", "état : a-verifier, lignes : 9")),
    ],
)
def test_journal_speaks_french(
    subject: str, subject_id: int | None, details: dict[str, Any], words: tuple[str, str]
) -> None:
    entry = AuditEntry(subject=subject, subject_id=subject_id, details=details)

    assert (subject_label(entry), details_label(entry)) == words


def test_day_of_the_report_tells_its_place_in_the_week() -> None:
    assert line_label(Axis.DAY, "2026-11-21") == "sam. 21/11/2026"
