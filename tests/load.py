"""What visitors do all at once: the three forms, slots with many seats and with hardly any, buttons of their own page."""

import itertools
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

import time_machine
from flask import Flask, url_for
from sqlalchemy import func, select

from microsite.db import db, reading
from microsite.leads.emails import SPACE
from microsite.leads.links import mailed_token
from microsite.leads.models import Submission
from microsite.open_days.models import OVER, Registration, RegistrationState
from microsite.outbox.services import LEASE
from microsite.web.context import utc_now
from microsite.worker import Worker

from .answers import APPLICATION, BROCHURE, plan_slot
from .page import CheckedClient, Form

_MANY, _FEW = 9999, 6
# Registrations whose owners press a button, between two kills.
_PRESSES = 12


@dataclass(frozen=True, kw_only=True)
class Posting:
    """A form, or a button of the page of a registration; ready to be sent, and sent again. `key` is nobody else's.

    `may_be_full`: a refusal for want of seats is an answer too.
    """

    path: str
    key: str
    body: bytes
    is_button: bool = False
    may_be_full: bool = False


@dataclass
class Load:
    """Without end, and safe to draw from in several threads."""

    _forms: Iterator[Posting]
    _buttons: deque[Posting] = field(default_factory=deque)
    _turns: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Posting:
        with self._lock:
            is_buttons_turn = next(self._turns) % 5 == 4
            return self._buttons.popleft() if is_buttons_turn and self._buttons else next(self._forms)

    def look_for_buttons(self, app: Flask) -> None:
        """Some of those who have an offer take it, and some who have a seat, or wait, give it up."""
        self._buttons = deque(_buttons(app))


def mixed_load(app: Flask) -> Load:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    many, few = plan_slot(app, capacity=_MANY), plan_slot(app, capacity=_FEW, day="2099-03-14")
    brochure, application, open_day = (
        client.page(path).form(path) for path in ("/brochure", "/candidater", "/portes-ouvertes")
    )
    kinds: list[tuple[Form, dict[str, str]]] = [
        (brochure, BROCHURE | {"email_consent": "y"}),
        (open_day, BROCHURE | {"slot": many}),
        (application, APPLICATION | {"email_consent": "y"}),
        (open_day, BROCHURE | {"slot": few}),
        (open_day, BROCHURE | {"slot": f"{few}-attente", "companions": "1"}),
    ]

    def posting(number: int) -> Posting:
        form, answers = kinds[number % len(kinds)]
        email = f"zoe{number}@exemple.fr"
        body = urlencode(form.filled(**answers | {"email": email})).encode()
        return Posting(path=form.action, key=email, body=body, may_be_full=answers.get("slot") == few)

    return Load(map(posting, itertools.count()))


def kept_emails(app: Flask) -> list[str]:
    with app.app_context(), reading():
        return list(db.session.scalars(select(Submission.email)))


def undone_presses(app: Flask, presses: dict[str, Posting]) -> set[str]:
    """Buttons that were answered, and whose registration says nothing of it."""
    with app.app_context(), reading():
        rows = db.session.execute(select(Submission.reference, Registration.state).join(Registration.submission))
        states = {reference: state for reference, state in rows}  # noqa: C416  # rows, not pairs
    return {reference for reference, press in presses.items() if states[reference] in _before(press)}


def _before(press: Posting) -> tuple[RegistrationState, ...]:
    """Whatever else it may be by now: who took an offer may have given it up since, by a button without an answer."""
    if press.path.endswith("/annulation"):
        return tuple(state for state in RegistrationState if state not in OVER)
    return RegistrationState.WAITING, RegistrationState.OFFERED, RegistrationState.EXPIRED


def send_the_rest(app: Flask) -> None:
    """What was in the hands of those that died comes back when their lease ends."""
    with time_machine.travel(utc_now() + LEASE + timedelta(seconds=1), tick=True):
        Worker(app).run("mails")


def _buttons(app: Flask) -> Iterator[Posting]:
    active = select(Registration).where(Registration.state.not_in(OVER)).order_by(func.random()).limit(_PRESSES)
    offered = select(Registration).where(Registration.state == RegistrationState.OFFERED).limit(_PRESSES // 2)
    with app.test_request_context(), reading():
        for registration in db.session.scalars(offered).all():
            yield _button(registration, "acceptation")
        for registration in db.session.scalars(active).all():
            if registration.state is not RegistrationState.OFFERED:
                yield _button(registration, "annulation")


def _button(registration: Registration, name: str) -> Posting:
    reference = registration.submission.reference
    space = url_for(SPACE, token=mailed_token(SPACE, registration.submission))
    return Posting(path=f"{space}/inscriptions/{reference}/{name}", key=reference, body=b"", is_button=True)
