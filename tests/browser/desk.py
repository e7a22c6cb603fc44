"""The back-office on a day in its life: staff, contacts, open days, campaigns and mails for its screens to show."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyotp
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from microsite.backoffice.accounts.second_step import switch_on
from microsite.backoffice.models import Role, StaffMember
from microsite.campaigns.counting import current_counter
from microsite.campaigns.services import Seen
from microsite.db import db, writing
from microsite.formatters import PARIS
from microsite.leads.models import Consent, FormName, Lead, Submission
from microsite.open_days.attendance import check_in
from microsite.open_days.models import Slot
from microsite.open_days.planning import DayPlan, SlotPlan, plan_open_day
from microsite.open_days.services import REGISTRATION_EMAIL
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.services import enqueue
from microsite.web.context import utc_now

from ..answers import MOTIVATION, add_campaign, allow_site, call_off, plan_slot
from ..backoffice.conftest import PASSWORD, add_member
from ..backoffice.people import BY_EMAIL, BY_PHONE, send
from ..open_days.desk import register

# Who has a second step, who has yet to choose a password, and who is about to ask for codes.
WITH_CODE, NEWCOMER, CAREFUL = "code@ecole.example", "nouvelle@ecole.example", "prudente@ecole.example"
# No longer there.
QUIT = "partie@ecole.example"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CAMPAIGN, OTHER_CAMPAIGN = "salon-2026", "bio-instagram"
BUSY, QUIET, PAST, CANCELLED = "Portes ouvertes", "Portes ouvertes d’été", "Portes ouvertes d’hiver", "Soirée annulée"
# More than a page of the list holds.
_CROWD = 60


def furnish(app: Flask) -> None:
    hire(app)
    _receive(app)
    _plan(app)
    _campaign(app)
    _hold_mails(app)


def hire(app: Flask) -> None:
    for role in Role:
        add_member(app, role)
    add_member(app, Role.ADMISSIONS, email=CAREFUL)
    ids = {email: add_member(app, Role.ADMISSIONS, email=email) for email in (WITH_CODE, NEWCOMER)}
    disabled = add_member(app, Role.MARKETING, email=QUIT)
    with app.app_context(), writing():
        switch_on(db.session(), db.session.get_one(StaffMember, ids[WITH_CODE]), SECRET, step=0)
        db.session.get_one(StaffMember, ids[NEWCOMER]).must_change_password = True
        db.session.get_one(StaffMember, disabled).disabled_at = utc_now()


def signed_in(app: Flask, email: str) -> str:
    """What the cookie says of a browser in which they have just signed in."""
    client = app.test_client()
    at = "/admissions/connexion"
    answer = _send(client, at, email=email, password=PASSWORD)
    if answer.headers["Location"].startswith(f"{at}/code"):
        answer = _send(client, f"{at}/code", code=pyotp.TOTP(SECRET).now())
    assert answer.headers["Location"] == "/admissions/"
    cookie = client.get_cookie("equipe", path="/admissions")
    assert cookie is not None
    return cookie.value


def _send(client: FlaskClient, path: str, **answers: str) -> TestResponse:
    token = HTMLParser(client.get(path).text).css_first("[name=csrf_token]")
    assert token is not None
    return client.post(path, data=answers | {"csrf_token": token.attributes["value"]})


def plan_today(app: Flask, *, capacity: int, title: str = BUSY) -> str:
    """A slot that is on, in a day planned before; its id. `yesterday()` is when one registers in it."""
    now = utc_now().astimezone(PARIS)
    midnight = datetime.combine(now, time(), tzinfo=PARIS)
    hours = SlotPlan(
        starts_at=max(midnight, now - timedelta(hours=1)).astimezone(UTC),
        ends_at=min(midnight + timedelta(hours=23, minutes=59), now + timedelta(hours=3)).astimezone(UTC),
        capacity=capacity,
    )
    with app.app_context(), writing():
        day = plan_open_day(db.session(), DayPlan(title=title, place="12 rue de la Paix, Paris"), [hours], now=now)
        return str(day.slots[0].id)


def yesterday() -> time_machine.travel:
    return time_machine.travel(utc_now() - timedelta(days=1))


def _receive(app: Flask) -> None:
    """One who used every form and agreed to all, one address with two names, a crowd, what is held and what is spam."""
    now = utc_now()
    came: dict[str, Any] = {
        "utm_source": "instagram",
        "utm_medium": "story",
        "utm_campaign": CAMPAIGN,
        "referrer_host": "l.instagram.com",
        "landing_path": "/articles/effets-speciaux-et-ia",
        "embed_host": "www.lycee-jean-moulin.example",
    }
    rich: dict[str, Any] = {"phone": "+33612345678", "agreed": (BY_EMAIL, BY_PHONE)}
    send(app, at=now - timedelta(days=9), **rich, **came)
    answers = {"birth_date": "2004-05-12", "intake": "2027", "motivation": MOTIVATION}
    form = FormName.APPLICATION
    send(app, form=form, programme="montage-vfx", answers=answers, at=now - timedelta(days=1), **rich)
    for number, name in enumerate(("Hélène Martin", "Marc Martin")):
        send(app, name, email="famille.martin@exemple.fr", at=now - timedelta(hours=number + 1))
    for number in range(_CROWD):
        send(app, f"Ana Da Costa-Pereira {number}", email=f"ana.dacosta{number}@exemple.fr", at=now - timedelta(days=3))
    for name, is_spam in (("xXcasinoXx Gagnez", False), ("Buy Cheap", False), ("Viagra Now", True)):
        held = send(app, name, email=f"{name.split()[0].lower()}@spam.example", is_suspicious=True, **came)[0]
        if is_spam:
            with app.app_context(), writing():
                db.session.execute(update(Submission).where(Submission.id == held).values(status="spam"))
    with app.app_context(), writing():
        confirmed = select(Lead.id).where(Lead.email == "zoe@exemple.fr").scalar_subquery()
        db.session.execute(update(Consent).where(Consent.lead_id == confirmed).values(confirmed_at=now))


def _plan(app: Flask) -> None:
    today = int(plan_today(app, capacity=6))
    # Registration is closed once it has begun: these came in time.
    with yesterday():
        here = register(app, str(today), "Ada", companions=1)
        register(app, str(today), "Bob", companions=2, access_needs="Un fauteuil roulant, et une place près de l’écran")
        register(app, str(today), "Chloé")
        for name in ("Denis", "Ève"):
            register(app, str(today), name)
    with app.app_context(), writing():
        check_in(db.session(), here, now=utc_now())
        # One of those who wait may have a seat now.
        db.session.get_one(Slot, today).capacity += 1
    access, description = "Métro Odéon, puis trois minutes à pied.", "Visite du plateau.\nProjection."
    quiet = plan_slot(app, title=QUIET, access=access, description=description)
    register(app, quiet, "Farid")
    too_full = plan_slot(app, day="2099-05-02", capacity=2)
    register(app, too_full, "Gaël", companions=1)
    with app.app_context(), writing():
        db.session.get_one(Slot, int(too_full)).capacity = 1
    with time_machine.travel(datetime(2026, 1, 5, 9, tzinfo=UTC)):
        register(app, plan_slot(app, day="2026-02-07", title=PAST), "Hana")
    call_off(app, plan_slot(app, day="2099-06-06", title=CANCELLED))


def _campaign(app: Flask) -> None:
    add_campaign(app, CAMPAIGN, target="open-day", note="Stand B12, hall 4", ends_on=date(2099, 11, 22))
    add_campaign(app, OTHER_CAMPAIGN, ends_on=date(2020, 1, 31))
    allow_site(app, "https://www.lycee-jean-moulin.example")
    with app.app_context():
        for days in range(20):
            for page in ("article", "form-brochure"):
                day = utc_now().astimezone(PARIS).date() - timedelta(days=days)
                for _ in range(1 + days % 4):
                    current_counter().add(Seen(day=day, page=page, campaign=CAMPAIGN, source="affiche", medium="qr"))
        current_counter().flush()


def _hold_mails(app: Flask) -> None:
    failures = {MailStatus.DEAD: "550 5.1.1 Boîte inconnue", MailStatus.SUPPRESSED: None, MailStatus.DROPPED: None}
    with app.app_context(), writing():
        for number, status in enumerate([*failures, MailStatus.DEAD, MailStatus.PENDING]):
            enqueue(db.session(), REGISTRATION_EMAIL, cause=f"JPO-2222{number}2.held", now=utc_now())
            mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.cause == f"JPO-2222{number}2.held")).one()
            mail.status, mail.failure, mail.attempts = status, failures.get(status), number
            mail.due_at = utc_now() + timedelta(days=1)
