"""Leads and submissions, kept as the forms keep them."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from microsite.campaigns.attribution import Attribution
from microsite.db import db, writing
from microsite.leads.models import FormName
from microsite.leads.services import Person, Sending, capture
from microsite.school import Wording

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
BY_EMAIL = Wording(channel="email", purpose="news", version="2027-01", text="J’ai 15 ans ou plus et j’accepte.")
BY_PHONE = replace(BY_EMAIL, channel="phone")
_nonces = itertools.count()


def make_sending(
    name: str = "Zoé Lefèvre",
    *,
    email: str = "zoe@exemple.fr",
    phone: str | None = None,
    form: FormName = FormName.BROCHURE,
    agreed: tuple[Wording, ...] = (),
    programme: str | None = None,
    answers: dict[str, Any] | None = None,
    is_suspicious: bool = False,
    **came: str,
) -> Sending:
    first, _, last = name.partition(" ")
    return Sending(
        form=form,
        nonce=str(next(_nonces)),
        person=Person(first_name=first, last_name=last, email=email, phone=phone),
        programme=programme,
        level=None,
        answers=answers or {},
        agreed=agreed,
        attribution=Attribution(**came),
        is_suspicious=is_suspicious,
    )


def send(app: Flask, name: str = "Zoé Lefèvre", *, at: datetime = NOW, **form: Any) -> tuple[int, int | None, str]:
    """Capture one form (make_sending() says what it may hold); its id, its lead's and its reference."""
    with app.app_context(), writing():
        receipt = capture(db.session(), make_sending(name, **form), now=at).receipt
        return receipt.id, receipt.lead_id, receipt.reference


@contextmanager
def sent_slowly(app: Flask, name: str, *, email: str) -> Iterator[int]:
    """Capture a brochure form in a transaction that is committed at the end of the `with`; its submission's id."""
    with app.app_context():
        engine = db.engine
    with Session(engine) as session:
        yield capture(session, make_sending(name, email=email), now=NOW).receipt.id
        session.commit()
