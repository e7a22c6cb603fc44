"""People with an address of their own: what they send, and the way to their page."""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from microsite.campaigns.attribution import Attribution
from microsite.db import Base, db
from microsite.leads.links import mailed_url
from microsite.leads.mails import SPACE
from microsite.leads.models import FormName, Submission
from microsite.leads.services import Person, Sending, capture
from microsite.open_days.models import Registration, Slot
from microsite.open_days.services import follow_up
from microsite.web.context import utc_now

from ..answers import BROCHURE
from ..page import CheckedClient

ZOE, MAX = "zoe@exemple.fr", "max@exemple.fr"


def register(app: Flask, slot: str, *, email: str = ZOE, companions: int = 0) -> str:
    """Take seats or wait for them, as the form does; the reference."""
    with app.app_context():
        times = db.session.get_one(Slot, int(slot))
        answers = {
            "slot_id": times.id,
            "slot_starts_at": times.starts_at.isoformat(),
            "slot_ends_at": times.ends_at.isoformat(),
            "may_wait": True,
            "companions": companions,
            "access_needs": "",
        }
        sending = Sending(
            form=FormName.OPEN_DAY,
            nonce=f"{email}-{slot}-{db.session.query(Submission).count()}"[:32],
            person=Person(first_name="Zoé", last_name="Lefèvre", email=email, phone=None),
            programme=None,
            level=None,
            answers=answers,
            agreed=(),
            attribution=Attribution(),
        )
        submission = capture(db.session(), sending, now=utc_now()).submission
        follow_up(db.session(), submission, now=utc_now())
        reference = submission.reference
        db.session.commit()
    return reference


def ask_brochure(client: CheckedClient, **more: str) -> None:
    client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE | more))


def space_of(app: Flask, email: str = ZOE) -> str:
    """The path of a fresh link to this person's page."""
    with app.app_context():
        sent = select(Submission).where(Submission.email == email).order_by(Submission.id.desc())
        return urlsplit(mailed_url(SPACE, db.session.scalars(sent).all()[0])).path


def state_of(app: Flask, reference: str) -> str:
    with app.app_context():
        found = select(Registration).join(Registration.submission).where(Submission.reference == reference)
        return str(db.session.scalars(found).one().state)


def rows(app: Flask) -> dict[str, list[Any]]:
    """Every row of every table."""
    with app.app_context():
        return {
            table.name: list(db.session.execute(select(table).order_by(*table.primary_key)))
            for table in Base.metadata.sorted_tables
        }
