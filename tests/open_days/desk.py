"""People who register, without a browser; and commands, with what they answer."""

import secrets
from datetime import UTC, datetime
from typing import Any

from click.testing import Result
from flask import Flask

from microsite.campaigns.attribution import Attribution
from microsite.db import db
from microsite.leads.models import FormName
from microsite.leads.services import Person, Sending, capture
from microsite.open_days.models import Slot
from microsite.open_days.services import follow_up


def run(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["open-days", *arguments], input=typed)


def told(app: Flask, *arguments: str, typed: str | None = None) -> str:
    """What a command that succeeds prints on its standard output."""
    result = run(app, *arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.stdout


def register(app: Flask, slot: str, name: str, *, companions: int = 0, may_wait: bool = True, **more: Any) -> str:
    """Send the form's answers for this person; the reference. Raises SlotFull, SlotClosed."""
    now = datetime.now(UTC)
    with app.app_context():
        planned = db.session.get(Slot, int(slot))
        assert planned is not None
        answers = {
            "slot_id": planned.id,
            "slot_starts_at": planned.starts_at.isoformat(),
            "slot_ends_at": planned.ends_at.isoformat(),
            "may_wait": may_wait,
            "companions": companions,
            "access_needs": "",
        }
        person = Person(first_name=name, last_name="Martin", email=f"{name.lower()}@exemple.fr", phone=None)
        sending = Sending(
            form=FormName.OPEN_DAY,
            nonce=secrets.token_hex(16),
            person=person,
            programme=None,
            level=None,
            answers=answers | more,
            agreed=(),
            attribution=Attribution(),
        )
        submission = capture(db.session(), sending, now=now).submission
        follow_up(db.session(), submission, now=now)
        reference = submission.reference
        db.session.commit()
        return reference
