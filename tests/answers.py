"""Answers that a form accepts, and the CSV that comes out; the detail that matters stands in the test."""

import csv
import io
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from microsite.campaigns import services
from microsite.campaigns.services import CampaignPlan
from microsite.content_files import SHIPPED
from microsite.db import db, writing
from microsite.formatters import PARIS
from microsite.leads.models import Submission
from microsite.open_days.models import Slot
from microsite.open_days.planning import DayPlan, SlotPlan, cancel_slot, plan_open_day
from microsite.open_days.queries import seats_taken, waiting_alerts
from microsite.quarantine import release_all
from microsite.web.context import current_settings, utc_now

BROCHURE = {"first_name": "Zoé", "last_name": "Lefèvre", "email": "zoe@exemple.fr"}
TELL_ME = BROCHURE | {"slot": "prevenez-moi"}
MOTIVATION = "Depuis que j’ai monté mon premier court métrage au lycée, je veux apprendre à raconter en images. " * 3
APPLICATION = BROCHURE | {
    "programme": "montage-vfx",
    "intake": "2027",
    "level": "terminale",
    "birth_date": "2004-05-12",
    "motivation": MOTIVATION,
}


def export(app: Flask, *options: str) -> list[dict[str, str]]:
    """What `leads export --dialect rfc4180` prints, one dict a row."""
    result = app.test_cli_runner().invoke(args=["leads", "export", "--dialect", "rfc4180", *options])
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout_bytes.decode(), newline="")))


def plan_slot(
    app: Flask,
    *,
    capacity: int = 20,
    day: str = "2099-03-07",
    hour: int = 10,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
    **words: str,
) -> str:
    """Plan one of two hours by the service: `words` are what the day says of itself. Its id."""
    starts_at = datetime.combine(date.fromisoformat(day), time(hour), tzinfo=PARIS).astimezone(UTC)
    slot = SlotPlan(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
        capacity=capacity,
        opens_at=opens_at,
        closes_at=closes_at,
    )
    plan = DayPlan(**{"title": "Journée portes ouvertes", "place": "Paris"} | words)
    with app.app_context(), writing():
        return str(plan_open_day(db.session(), plan, [slot], now=utc_now()).slots[0].id)


def call_off(app: Flask, slot: str) -> None:
    with app.app_context(), writing():
        cancel_slot(db.session(), db.session.get_one(Slot, int(slot)), now=utc_now())


def count_taken(app: Flask, slot: str) -> int:
    """Seats of the slot that people hold."""
    with app.app_context():
        return seats_taken(db.session(), int(slot))


def count_alerts(app: Flask) -> int:
    """People who asked to be told of a date."""
    with app.app_context():
        return waiting_alerts(db.session())


def release(app: Flask, reference: str) -> bool:
    """Take this submission out of quarantine; whether it was held there."""
    with app.app_context(), writing():
        ids = list(db.session.scalars(select(Submission.id).filter_by(reference=reference)))
        every = current_settings().notify_admissions
        return release_all(db.session(), ids, notify_every=every, now=utc_now(), done=lambda _submission: None) == 1


def add_campaign(app: Flask, code: str, **plan: Any) -> None:
    """Add a fair's poster, or what `plan` makes of it."""
    defaults = {"name": "Salon", "source": "affiche", "medium": "qr"}
    with app.app_context(), writing():
        services.add_campaign(db.session(), CampaignPlan(code=code, **defaults | plan), now=utc_now())


def allow_site(app: Flask, origin: str) -> None:
    """Let a site frame the forms."""
    with app.app_context(), writing():
        services.allow_embed_host(db.session(), origin, note="", now=utc_now())


def complete_school(instance: Path) -> None:
    """A school.toml without placeholders; mails leave from ecole.example."""
    shipped = (SHIPPED / "school.toml").read_text()
    for key in ("sender", "reply_to", "admissions", "security_email"):
        shipped = re.sub(rf'^{key} = ".*"$', f'{key} = "{key.replace("_", "-")}@ecole.example"', shipped, flags=re.M)
    (instance / "content").mkdir(exist_ok=True)
    (instance / "content" / "school.toml").write_text(shipped.replace('"[à compléter', '"[rempli'))


def only(rows: list[Any]) -> Any:
    assert len(rows) == 1, f"{len(rows)} rows"
    return rows[0]
