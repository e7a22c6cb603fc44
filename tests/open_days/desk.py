"""The admissions' desk: commands with what they answer, people who register by name, slots that are changed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from click.testing import Result
from flask import Flask

from microsite.db import db, writing
from microsite.leads.models import Submission
from microsite.open_days.models import Slot
from microsite.open_days.planning import SlotEdited, SlotPlan, edit_slot, lock_planning
from microsite.open_days.services import follow_up

from .people import submit


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["open-days", *arguments])


def told(app: Flask, *arguments: str) -> str:
    """What a command that succeeds prints on its standard output."""
    result = run(app, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def edit(app: Flask, slot: str, **changes: Any) -> SlotEdited:
    """Change what the slot's plan says; the rest stays."""
    with app.app_context(), writing():
        lock_planning(db.session())
        planned = db.session.get_one(Slot, int(slot))
        return edit_slot(db.session(), planned, replace(SlotPlan.of(planned), **changes), now=datetime.now(UTC))


def register(
    app: Flask, slot: str, name: str, *, last_name: str = "Martin", companions: int = 0, access_needs: str = ""
) -> str:
    """Send the form for this person, who would wait if need be; the reference. Raises SlotClosed."""
    now = datetime.now(UTC)
    with app.app_context(), writing():
        planned = db.session.get(Slot, int(slot))
        assert planned is not None
        receipt = submit(
            db.session(), planned, companions=companions, may_wait=True, email=_address(name, last_name), now=now
        )
        sent = db.session.get_one(Submission, receipt.id)
        sent.first_name, sent.last_name = name, last_name
        sent.answers = sent.answers | {"access_needs": access_needs}
        follow_up(db.session(), receipt, now=now)
        return receipt.reference


def _address(name: str, last_name: str) -> str:
    """Each name's own."""
    return f"{name.lower()}@exemple.fr" if last_name == "Martin" else f"p{last_name.encode().hex()}@exemple.fr"
