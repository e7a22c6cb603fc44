"""Days as a date picker sends them, and as people type them."""

import re
from datetime import date

_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", re.ASCII)
_FRENCH = re.compile(r"(?P<day>\d{1,2})[/. -](?P<month>\d{1,2})[/. -](?P<year>\d{4})", re.ASCII)


def parse_day(text: str) -> date | None:
    """2027-01-31 or 31/01/2027; None for anything else."""
    match = _ISO.fullmatch(text.strip()) or _FRENCH.fullmatch(text.strip())
    if match is None or not _FIRST_YEAR <= int(match["year"]) <= _LAST_YEAR:
        return None
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
