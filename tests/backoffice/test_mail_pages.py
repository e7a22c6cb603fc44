"""Mails that haven't left: seen, sent after all, given up; never changed behind somebody's back."""

import pytest
from flask import Flask
from sqlalchemy import select

from microsite.backoffice.models import Role
from microsite.db import db, writing
from microsite.open_days.services import REGISTRATION_EMAIL
from microsite.outbox.emails import COMPOSERS
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.services import enqueue
from microsite.web.context import utc_now

from ..page import CheckedClient, Page
from .conftest import Desk
from .open_days import audited

AT = "/admissions/messages"


@pytest.fixture
def client(desk: Desk) -> CheckedClient:
    return desk(Role.ADMISSIONS)


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


both = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)


def _mails(app: Flask, count: int, status: MailStatus = MailStatus.DEAD) -> list[int]:
    with app.app_context(), writing():
        for number in range(count):
            enqueue(db.session(), REGISTRATION_EMAIL, cause=f"JPO-22{number:04}.{status}", now=utc_now())
        db.session.flush()
        theirs = select(OutgoingMail).where(OutgoingMail.cause.endswith(status)).order_by(OutgoingMail.id)
        made = list(db.session.scalars(theirs))
        for mail in made:
            mail.status, mail.failure = status, "boîte pleine"
        return [mail.id for mail in made]


def _states(app: Flask) -> list[str]:
    with app.app_context():
        return [str(mail.status) for mail in db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id))]


def _press(client: CheckedClient, page: Page, act: str, **pressed: str | None) -> Page:
    values = page.form(f"{AT}/renvoi").filled(vu=None, **pressed)
    return client.follow(Page(client.post(f"{AT}/{act}", data=values)))


def test_every_mail_has_a_name_of_its_own_in_lower_case() -> None:
    labels = [composer.email.label for composer in COMPOSERS.values()]

    assert all(label and label == label.lower() for label in labels)
    assert len(set(labels)) == len(labels)


def test_mail_that_no_feature_declares_any_more_is_listed_by_its_own_name(client: CheckedClient, app: Flask) -> None:
    number = _mails(app, 1)[0]
    with app.app_context(), writing():
        db.session.get_one(OutgoingMail, number).template = "newsletter"

    assert "Newsletter" in client.page(AT).text


@both
def test_each_state_has_its_page(client: CheckedClient, app: Flask) -> None:
    for status in (MailStatus.DEAD, MailStatus.SUPPRESSED, MailStatus.PENDING, MailStatus.DROPPED):
        _mails(app, 1, status)

    pages = [client.page(f"{AT}?etat={tab}") for tab in ("refuses", "retenus", "en-attente", "abandonnes")]

    assert [page.text.count("Inscription aux portes ouvertes") for page in pages] == [1, 1, 1, 1]
    assert all("JPO-220000" not in page.text for page in pages)
    assert "boîte pleine" in pages[0].text
    assert client.page(f"{AT}?etat=n%27importe&avant=-3").one("h1").text() == "Messages refusés"


@pytest.mark.parametrize(("act", "becomes"), [("renvoi", "pending"), ("abandon", "dropped")])
@both
def test_one_mail_is_changed_by_its_own_button(client: CheckedClient, app: Flask, act: str, becomes: str) -> None:
    first, _ = _mails(app, 2)

    _press(client, client.page(AT), act, seul=f"{first}.dead")

    assert _states(app) == [becomes, "dead"]
    entry = audited(app, "mails retried" if act == "renvoi" else "mails dropped")[0]
    assert (entry.subject_id, entry.details) == (first, {"ids": [first]})


def test_ticked_ones_leave_together(client: CheckedClient, app: Flask) -> None:
    first, _, third = _mails(app, 3)
    token = client.page(AT).form(f"{AT}/renvoi").values["csrf_token"]

    answer = client.post(
        f"{AT}/renvoi", data={"csrf_token": token, "etat": "refuses", "choix": [f"{first}.dead", f"{third}.dead"]}
    )

    assert answer.headers["Location"] == f"{AT}?etat=refuses&fait=messages-renvoyes"
    assert _states(app) == ["pending", "dead", "pending"]


def test_whole_page_is_what_the_page_showed(client: CheckedClient, app: Flask) -> None:
    known = _mails(app, 2)
    page = client.page(AT)
    _mails(app, 4)

    values = {"csrf_token": page.form(f"{AT}/renvoi").values["csrf_token"], "tous": "1"}
    client.post(f"{AT}/renvoi", data={**values, "vu": [f"{number}.dead" for number in known]})

    assert _states(app) == ["pending", "pending", "dead", "dead"]


@both
def test_what_somebody_else_has_changed_stays_as_it_is(client: CheckedClient, app: Flask) -> None:
    number = _mails(app, 1)[0]
    page = client.page(AT)
    _press(client, page, "abandon", seul=f"{number}.dead")

    told = _press(client, page, "renvoi", seul=f"{number}.dead")

    assert "avaient changé entre-temps" in told.text
    assert _states(app) == ["dropped"]


def test_nonsense_changes_nothing(client: CheckedClient, app: Flask) -> None:
    _mails(app, 1)
    page = client.page(AT)

    for text in ("", "1", "x.dead", "9999999999.dead", "1.sent", "1.dead.dead"):
        _press(client, page, "renvoi", seul=text)

    assert _states(app) == ["dead"]


def test_older_ones_are_a_page_further(client: CheckedClient, app: Flask) -> None:
    _mails(app, 53)

    first = client.page(AT)
    second = client.page(next(link for link in first.links() if "avant=" in link))

    assert [len(page.tree.css("tbody tr")) for page in (first, second)] == [50, 3]
