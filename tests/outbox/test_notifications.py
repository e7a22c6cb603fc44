"""Telling admissions: of each request, of an hour's, of a day's, or of nothing; nobody forgotten, nothing personal."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.db import db, writing
from microsite.leads.models import Lead
from microsite.leads.notifications import Period
from microsite.outbox.services import DAILY_CAP, claim, mark_dead
from microsite.outbox.transports import MemoryTransport
from microsite.privacy.data_requests import ask
from microsite.privacy.models import PrivacyRequest, RequestKind
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import APPLICATION, export, release
from ..page import CheckedClient

# 10:20 in Paris, a Monday.
START = datetime(2027, 1, 4, 9, 20, tzinfo=UTC)


class Admissions:
    """An application, and what it tells admissions as time goes by."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.transport = app.extensions["outbox"].transport = MemoryTransport()
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        self.client = client

    def apply(self, number: int, **more: str) -> None:
        answers = APPLICATION | {"email": f"zoe{number}@exemple.fr", "last_name": f"Nom-{chr(65 + number)}"} | more
        form = self.client.page("/candidater").form("/candidater")
        assert self.client.send(form, **answers).status == 303

    def refuse(self) -> None:
        """Note every mail that is due as refused for good."""
        with self.app.app_context():
            while held := claim(db.session(), now=utc_now()):
                mark_dead(db.session(), held, "550 5.7.1 Not here")
            db.session.commit()

    def told(self) -> list[str]:
        """Text of each mail to admissions so far."""
        Worker(self.app).run("mails")
        mails = [mail for mail in self.transport.sent if str(mail["To"]).startswith("a-completer@")]
        bodies = [mail.get_body(("plain",)) for mail in mails]
        return [str(body.get_content()) for body in bodies if body is not None]


def test_each_request_is_told_with_its_name_and_nothing_else(make_app: Callable[..., Flask]) -> None:
    admissions = Admissions(make_app())
    admissions.apply(0, phone="0612345678")
    admissions.apply(1)

    first, second = admissions.told()

    assert export(admissions.app)[0]["reference"] in first
    assert "Zoé Nom-A" in first
    assert "Nom-B" in second
    for personal in ("exemple.fr", "0612345678", "+33", "2004", "court métrage"):
        assert personal not in first


def _mails(admissions: Admissions) -> list[EmailMessage]:
    Worker(admissions.app).run("mails")
    return [mail for mail in admissions.transport.sent if str(mail["To"]).startswith("a-completer@")]


def _says(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("every", ["each", "hourly", "daily"])
def test_mail_names_no_command_and_no_setting_and_leads_to_the_person(
    make_app: Callable[..., Flask], every: str
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS=every))
        admissions.apply(0)
        clock.shift(timedelta(days=1))

        (mail,) = _mails(admissions)

    with admissions.app.app_context():
        lead = db.session.scalars(select(Lead)).one()
        page = f"http://127.0.0.1:8000/admissions/contacts/{lead.id}"
    for kind in ("plain", "html"):
        assert page in _says(mail, kind)
        for word in ("flask", "wsgi", "MICROSITE", "réglage", "commande", "/candidater"):
            assert word not in _says(mail, kind)


@pytest.mark.parametrize(
    ("first_name", "name"),
    [("Zoé", "Zoé Nom-A"), ("Anne, « Nana »", "Anne, « Nana » Nom-A"), ('J"J <x@y.fr>', 'J"J <x@y.fr> Nom-A')],
)
def test_answer_to_the_mail_goes_to_the_person(make_app: Callable[..., Flask], first_name: str, name: str) -> None:
    admissions = Admissions(make_app())
    admissions.apply(0, first_name=first_name)

    (mail,) = _mails(admissions)

    (address,) = mail["Reply-To"].addresses
    assert (address.display_name, address.addr_spec) == (name, "zoe0@exemple.fr")
    assert [one.addr_spec for one in mail["To"].addresses] == ["a-completer@exemple.invalid"]
    assert "Répondre à ce message" in _says(mail, "plain")


def test_answer_to_a_digest_goes_to_the_school(make_app: Callable[..., Flask]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="daily"))
        admissions.apply(0)
        clock.shift(timedelta(days=1))

        (mail,) = _mails(admissions)

    assert [one.addr_spec for one in mail["Reply-To"].addresses] == ["a-completer@exemple.invalid"]


@pytest.mark.parametrize(
    ("every", "subjects"),
    [
        (
            "daily",
            ["1 nouvelle demande du lundi 4 janvier 2027", "2 nouvelles demandes du mardi 5 janvier 2027"],
        ),
        (
            "hourly",
            [
                "1 nouvelle demande du lundi 4 janvier 2027, de 10 h à 11 h",
                "2 nouvelles demandes du mardi 5 janvier 2027, de 23 h à 0 h",
            ],
        ),
    ],
)
def test_subject_of_a_digest_names_its_day(make_app: Callable[..., Flask], every: str, subjects: list[str]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS=every))
        admissions.apply(0)
        clock.move_to(datetime(2027, 1, 5, 22, 59, tzinfo=UTC))
        admissions.apply(1)
        admissions.apply(2)
        clock.shift(timedelta(days=1))

        told = [str(mail["Subject"]).replace("\N{NO-BREAK SPACE}", " ") for mail in _mails(admissions)]

    assert told == subjects


@pytest.mark.parametrize("every", ["each", "hourly", "daily"])
def test_held_back_request_is_told_to_nobody(make_app: Callable[..., Flask], every: str) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS=every))
        admissions.apply(0, topic="Buy now")
        clock.shift(timedelta(days=2))

        assert _mails(admissions) == []


def test_mail_about_one_s_data_leads_to_the_request(make_app: Callable[..., Flask]) -> None:
    admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="none"))
    admissions.apply(0)
    with admissions.app.app_context(), writing():
        ask(db.session(), db.session.scalars(select(Lead)).one(), RequestKind.ERASURE, now=utc_now())
        number = db.session.scalars(select(PrivacyRequest.id)).one()

    mail = next(mail for mail in _mails(admissions) if "Effacement" in mail["Subject"])

    for kind in ("plain", "html"):
        assert f"http://127.0.0.1:8000/admissions/demandes-donnees/{number}" in _says(mail, kind)


def test_hourly_digest_tells_of_an_hour_once_it_is_over(make_app: Callable[..., Flask]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="hourly"))
        admissions.apply(0)
        admissions.apply(1)
        assert admissions.told() == []

        clock.shift(timedelta(minutes=42))
        told = admissions.told()
        clock.shift(timedelta(hours=3))

        assert admissions.told() == told
        assert len(told) == 1
        assert "Nom-A" in told[0]
        assert "Nom-B" in told[0]


def test_daily_digest_comes_at_eight_in_paris(make_app: Callable[..., Flask]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="daily"))
        admissions.apply(0)
        clock.move_to(datetime(2027, 1, 5, 7, 0, tzinfo=UTC))
        assert admissions.told() == []

        clock.move_to(datetime(2027, 1, 5, 7, 2, tzinfo=UTC))

        assert len(admissions.told()) == 1


def test_what_came_while_no_worker_ran_is_told_when_one_does(make_app: Callable[..., Flask]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="hourly"))
        admissions.apply(0)
        clock.shift(timedelta(hours=5))
        admissions.apply(1)
        clock.shift(timedelta(days=10))

        first, second = admissions.told()

        assert ("Nom-A" in first, "Nom-B" in first) == (True, False)
        assert ("Nom-A" in second, "Nom-B" in second) == (False, True)


def test_day_of_the_digest_follows_the_clocks_of_paris() -> None:
    """On 28 March 2027 at 2 the clocks go to 3: from one morning to the next it is 23 hours."""
    night = Period.day_of(datetime(2027, 3, 28, 5, 59, tzinfo=UTC))
    morning = Period.day_of(datetime(2027, 3, 28, 6, 0, tzinfo=UTC))

    assert night.start == datetime(2027, 3, 27, 7, tzinfo=UTC)
    assert night.end == morning.start == datetime(2027, 3, 28, 6, tzinfo=UTC)
    assert morning.end == datetime(2027, 3, 29, 6, tzinfo=UTC)


def test_request_released_from_quarantine_is_told_by_itself(make_app: Callable[..., Flask]) -> None:
    """The digest of its hour has left perhaps; if not, that one doesn't tell of it again."""
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="hourly"))
        admissions.apply(0, topic="Buy now")
        admissions.apply(1)
        reference = export(admissions.app, "--include-quarantined")[0]["reference"]
        release(admissions.app, reference)
        (released,) = admissions.told()
        assert "Nom-A" in released
        clock.shift(timedelta(hours=1))

        _, digest = admissions.told()

        assert "Nom-A" not in digest
        assert "Nom-B" in digest


def test_change_from_each_to_a_digest_tells_nobody_twice(make_app: Callable[..., Flask]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        each = Admissions(make_app())
        each.apply(0)
        assert len(each.told()) == 1
        hourly = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="hourly"))
        clock.shift(timedelta(minutes=1))
        hourly.apply(1)
        clock.shift(timedelta(hours=1))

        (told,) = hourly.told()

        assert "Nom-A" not in told
        assert "Nom-B" in told


def test_digest_tells_of_requests_whose_own_mail_does_not_leave(make_app: Callable[..., Flask]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        each = Admissions(make_app())
        for _ in range(DAILY_CAP):
            each.apply(0, last_name="Nom-Told")
        each.apply(0, last_name="Nom-Beyond-the-cap")
        each.told()
        each.apply(1, last_name="Nom-Refused")
        each.refuse()
        hourly = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="hourly"))
        hourly.apply(2, last_name="Nom-Later")
        clock.shift(timedelta(hours=1))

        (told,) = hourly.told()

    assert [name for name in ("Told", "Beyond-the-cap", "Refused", "Later") if f"Nom-{name}" in told] == [
        "Beyond-the-cap",
        "Refused",
        "Later",
    ]


def test_change_from_a_digest_to_each_forgets_nobody(make_app: Callable[..., Flask]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        hourly = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="hourly"))
        hourly.apply(0)
        each = Admissions(make_app())
        each.apply(1)
        (single,) = each.told()
        assert "Nom-B" in single
        clock.shift(timedelta(hours=1))

        _, digest = each.told()

        assert "Nom-A" in digest
        assert "Nom-B" not in digest


@pytest.mark.parametrize("every", ["hourly", "daily", "none"])
def test_quarantined_requests_and_quiet_times_make_no_digest(make_app: Callable[..., Flask], every: str) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS=every))
        admissions.apply(0, topic="Buy now")
        clock.shift(timedelta(days=2))

        assert admissions.told() == []


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_digest_of_hundreds_says_how_many_more(make_app: Callable[..., Flask]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        admissions = Admissions(make_app(MICROSITE_NOTIFY_ADMISSIONS="hourly"))
        for number in range(103):
            admissions.apply(number, last_name="Nom")
        clock.shift(timedelta(hours=1))

        (told,) = admissions.told()

    assert told.count("CAN-") == 100
    assert "… et 3 de plus" in told
