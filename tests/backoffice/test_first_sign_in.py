"""The first sign-in: a password of one's own and the second step come first, then the page that was asked for."""

import itertools
from collections.abc import Callable, Iterator

import pyotp
import pytest
import time_machine
from flask import Flask

from microsite.backoffice.models import Role, StaffMember
from microsite.db import db, writing
from microsite.outbox.transports import MemoryTransport

from ..answers import BROCHURE, plan_slot
from ..open_days.desk import register
from ..page import CheckedClient, Page
from .conftest import PASSWORD, add_member, address, enter
from .open_days import BEFORE, MORNING

NEW_PASSWORD = "une girafe lit le journal"
CHANGE, SECOND_STEP = "/admissions/mot-de-passe", "/admissions/compte/double-verification"
SETTINGS = ("offered", "administrators", "everybody")


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEFORE, tick=False) as traveller:
        yield traveller


def _newcomer(app: Flask, role: Role, *, has_own_password: bool) -> CheckedClient:
    member = add_member(app, role)
    with app.app_context(), writing():
        db.session.get_one(StaffMember, member).must_change_password = not has_own_password
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def _reach(client: CheckedClient, page: Page) -> tuple[Page, list[str]]:
    """Follow redirects and do what is asked on the way; the page that one ends at, and what was asked."""
    asked: list[str] = []
    password = PASSWORD
    for _ in range(12):
        path = page.response.request.path
        if page.status == 303:
            page = client.follow(page)
        elif path == CHANGE:
            asked.append("password")
            page = client.send(page.form(CHANGE), current=password, new=NEW_PASSWORD)
            password = NEW_PASSWORD
        elif path == SECOND_STEP and page.tree.css_first(".codes") is None:
            asked.append("second step")
            code = pyotp.TOTP(page.one(".reference").text()).now()
            page = client.send(page.form(SECOND_STEP), code=code, password=password)
        elif path == SECOND_STEP:
            page = client.page(str(page.one("main .button").attributes["href"]))
        else:
            return page, asked
    raise AssertionError(f"a loop, at {path}")


def _owed(setting: str, role: Role, *, has_own_password: bool) -> list[str]:
    is_code_owed = setting == "everybody" or (setting == "administrators" and role is Role.ADMINISTRATOR)
    return [*(["password"] if not has_own_password else []), *(["second step"] if is_code_owed else [])]


@pytest.mark.parametrize(
    ("role", "setting", "has_own_password"),
    list(itertools.product((Role.ADMISSIONS, Role.ADMINISTRATOR), SETTINGS, (True, False))),
)
def test_scanned_code_leads_to_the_card_by_every_way_of_signing_in(
    make_app: Callable[..., Flask], clock: time_machine.Traveller, role: Role, setting: str, has_own_password: bool
) -> None:
    app = make_app(MICROSITE_SECOND_STEP=setting)
    ada = register(app, plan_slot(app, capacity=3), "Ada")
    clock.move_to(MORNING)
    client = _newcomer(app, role, has_own_password=has_own_password)
    scanned = client.page(f"/admissions/accueil/{ada}")
    assert scanned.one("h1").text() == "Réservé à l’équipe d’accueil"

    sign_in = client.page(f"/admissions/accueil/{ada}?connexion").response.headers["Location"]
    card, asked = _reach(
        client, client.send(client.page(sign_in).form(sign_in), email=address(role), password=PASSWORD)
    )

    assert card.one("h1").text() == "Ada Martin"
    assert asked == _owed(setting, role, has_own_password=has_own_password)
    again, asked = _reach(client, client.page(f"/admissions/accueil/{ada}"))
    assert (again.one("h1").text(), asked) == ("Ada Martin", [])


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(
    "asked_for", ["/admissions/contacts?q=zo%C3%A9&etat=actifs", "/admissions/exports", "/admissions/"]
)
def test_page_that_was_asked_for_opens_after_the_first_sign_in(
    make_app: Callable[..., Flask], setting: str, asked_for: str
) -> None:
    app = make_app(MICROSITE_SECOND_STEP=setting)
    client = _newcomer(app, Role.ADMISSIONS, has_own_password=False)

    sign_in = client.get(asked_for).headers["Location"]
    page, _ = _reach(
        client, client.send(client.page(sign_in).form(sign_in), email=address(Role.ADMISSIONS), password=PASSWORD)
    )

    if asked_for != "/admissions/":
        assert page.response.request.full_path.rstrip("?") == asked_for
    assert client.get("/admissions/").status_code == 200


def test_scanned_card_asks_for_the_second_step_of_who_is_signed_in_already(
    make_app: Callable[..., Flask], clock: time_machine.Traveller
) -> None:
    app, later = make_app(), make_app(MICROSITE_SECOND_STEP="everybody")
    ada = register(app, plan_slot(app, capacity=3), "Ada")
    clock.move_to(MORNING)
    client = _newcomer(app, Role.ADMISSIONS, has_own_password=True)
    enter(client, email=address(Role.ADMISSIONS))
    assert client.page(f"/admissions/accueil/{ada}").one("h1").text() == "Ada Martin"
    cookie = client.get_cookie("equipe", path="/admissions")
    assert cookie is not None

    now = later.test_client()
    assert isinstance(now, CheckedClient)
    now.set_cookie("equipe", cookie.value, path="/admissions")
    card, asked = _reach(now, now.page(f"/admissions/accueil/{ada}"))

    assert (card.one("h1").text(), asked) == ("Ada Martin", ["second step"])


@pytest.mark.parametrize("has_own_password", [True, False])
def test_scanned_code_tells_marketing_nothing_and_does_not_loop(app: Flask, has_own_password: bool) -> None:
    ada = register(app, plan_slot(app, capacity=3), "Ada")
    client = _newcomer(app, Role.MARKETING, has_own_password=has_own_password)
    sign_in = client.page(f"/admissions/accueil/{ada}?connexion").response.headers["Location"]

    page, _ = _reach(
        client, client.send(client.page(sign_in).form(sign_in), email=address(Role.MARKETING), password=PASSWORD)
    )
    told = [client.page(f"/admissions/accueil/{reference}?connexion") for reference in (ada, "JPO-222222")]

    assert page.one("h1").text() == "Réservé à l’équipe d’accueil"
    assert {(one.status, one.one("h1").text()) for one in told} == {(403, "Page réservée")}


def test_page_that_was_asked_for_is_kept_no_longer_than_the_duty(app: Flask) -> None:
    client = _newcomer(app, Role.ADMISSIONS, has_own_password=False)
    enter(client, email=address(Role.ADMISSIONS), suite="/admissions/exports")
    page, _ = _reach(client, client.page("/admissions/exports"))
    assert page.response.request.path == "/admissions/exports"

    changed = client.send(client.page(CHANGE).form(CHANGE), current=NEW_PASSWORD, new="deux loutres font la sieste")

    assert changed.response.headers["Location"] == "/admissions/compte?fait=mot-de-passe"


def test_what_a_page_asks_by_itself_is_not_what_was_asked_for(app: Flask) -> None:
    slot = plan_slot(app, capacity=3)
    client = _newcomer(app, Role.ADMISSIONS, has_own_password=False)
    enter(client, email=address(Role.ADMISSIONS))
    door = f"/admissions/portes-ouvertes/{slot}/accueil"
    for path in (door, f"{door}/places"):
        assert client.get(path).headers["Location"] == CHANGE

    page, _ = _reach(client, client.page(CHANGE))

    assert page.response.request.path == door


@pytest.mark.parametrize("asked_for", ["/admissions/contacts?q=" + "x" * 5000, "/admissions/contacts?q=" + "é" * 900])
def test_address_too_long_to_be_kept_leads_to_the_account(app: Flask, asked_for: str) -> None:
    client = _newcomer(app, Role.ADMISSIONS, has_own_password=False)
    enter(client, email=address(Role.ADMISSIONS))
    assert client.get(asked_for).headers["Location"] == CHANGE

    _, asked = _reach(client, client.page(CHANGE))

    assert asked == ["password"]
    assert client.get("/admissions/").status_code == 200


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("has_own_password", [True, False])
def test_mail_about_a_new_lead_leads_to_their_page(
    make_app: Callable[..., Flask], setting: str, has_own_password: bool
) -> None:
    app = make_app(MICROSITE_SECOND_STEP=setting)
    sent = app.extensions["outbox"].transport = MemoryTransport()
    visitor = app.test_client()
    assert isinstance(visitor, CheckedClient)
    visitor.follow(visitor.send(visitor.page("/brochure").form("/brochure"), **BROCHURE))
    app.test_cli_runner().invoke(args=["outbox", "run", "--once"])
    told = next(mail for mail in sent.sent if "Brochure" in mail["Subject"])
    body = told.get_body(("plain",))
    assert body is not None
    link = next(word for word in body.get_content().split() if "/admissions/" in word).partition(":8000")[2]
    client = _newcomer(app, Role.ADMISSIONS, has_own_password=has_own_password)

    sign_in = client.get(link).headers["Location"]
    page, asked = _reach(
        client, client.send(client.page(sign_in).form(sign_in), email=address(Role.ADMISSIONS), password=PASSWORD)
    )

    assert page.one("h1").text() == "Zoé Lefèvre"
    assert asked == _owed(setting, Role.ADMISSIONS, has_own_password=has_own_password)
