"""People with an address of their own: what they send, and the way to their page."""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from microsite.db import Base, db
from microsite.leads.emails import SPACE
from microsite.leads.links import mailed_url
from microsite.leads.models import Submission
from microsite.open_days.models import Registration, Slot
from microsite.open_days.services import follow_up
from microsite.web.context import utc_now

from ..answers import BROCHURE
from ..open_days.people import submit
from ..page import CheckedClient

ZOE, MAX = "zoe@exemple.fr", "max@exemple.fr"


def register(app: Flask, slot: str, *, email: str = ZOE, companions: int = 0) -> str:
    """Take seats or wait for them, as the form does; the reference."""
    with app.app_context():
        planned = db.session.get_one(Slot, int(slot))
        receipt = submit(db.session(), planned, companions=companions, may_wait=True, email=email, now=utc_now())
        follow_up(db.session(), receipt, now=utc_now())
        db.session.commit()
        return receipt.reference


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
