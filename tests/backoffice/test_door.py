"""The door: who is expected is noted once, from a list or from a scanned code; strangers learn nothing."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.backoffice.models import Role, StaffSession
from microsite.db import db
from microsite.leads.models import Submission
from microsite.open_days.models import RegistrationState

from ..answers import plan_slot
from ..keyboards import scanned_on_azerty
from ..open_days.desk import register
from ..page import CheckedClient, Page
from .conftest import PASSWORD, Browser, Desk, add_member, address, enter
from .open_days import BEFORE, MORNING, audited, registration

EVE = {"first_name": "Ève", "last_name": "Martin", "email": "eve@exemple.fr"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEFORE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


both = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def number(app: Flask) -> str:
    return plan_slot(app, capacity=3)


def _door(number: str) -> str:
    return f"/admissions/portes-ouvertes/{number}/accueil"


def _card(reference: str) -> str:
    return f"/admissions/accueil/{reference}"


def _press(client: CheckedClient, page: Page, action: str) -> Page:
    return client.follow(client.send(page.form(action)))


@both
def test_scanned_code_opens_the_card_and_only_its_button_notes(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    ada = register(app, number, "Ada", companions=1, access_needs="Un fauteuil")
    clock.move_to(MORNING)
    client = desk(Role.ADMISSIONS)

    card = client.page(_card(ada))
    before = registration(app, ada).state
    noted = _press(client, card, f"{_card(ada)}/arrivee")
    clock.shift(timedelta(minutes=5))
    _press(client, card, f"{_card(ada)}/arrivee")

    assert before is RegistrationState.CONFIRMED
    assert card.one("h1").text() == "Ada Martin"
    assert "2 personnes" in card.text
    assert "Un fauteuil" in card.text
    assert "Arrivée notée à 9 h." in noted.text
    assert (registration(app, ada).state, registration(app, ada).checked_in_at) == (RegistrationState.ATTENDED, MORNING)
    assert [entry.details for entry in audited(app, "arrival noted")] == [{"is_repeated": False}, {"is_repeated": True}]
    assert len(audited(app, "arrival seen")) == 3


@pytest.mark.parametrize("reader", ["nobody", "marketing"])
def test_everybody_else_reads_the_same_page_for_every_reference(
    browser: Browser, desk: Desk, app: Flask, number: str, reader: str
) -> None:
    known = register(app, number, "Ada")
    client = browser() if reader == "nobody" else desk(Role.MARKETING)

    pages = [client.page(_card(reference)) for reference in (known, "JPO-222222", "rien")]

    assert {(page.status, page.html) for page in pages} == {(200, pages[0].html)}
    assert pages[0].one("h1").text() == "Réservé à l’équipe d’accueil"
    assert "Set-Cookie" not in pages[0].response.headers


def test_sign_in_leads_back_to_the_scanned_code(
    browser: Browser, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    known = register(app, number, "Ada")
    clock.move_to(MORNING)
    add_member(app, Role.ADMISSIONS)
    client = browser()

    ways = [client.page(f"{_card(reference)}?connexion").response for reference in (known, "JPO-222222")]
    entered = enter(client, email=address(Role.ADMISSIONS), suite=_card(known))

    assert [way.headers["Location"] for way in ways] == [
        f"/admissions/connexion?suite=/admissions/accueil/{reference}" for reference in (known, "JPO-222222")
    ]
    assert client.follow(entered).one("h1").text() == "Ada Martin"


def test_code_of_nobody_says_so_to_the_team(desk: Desk) -> None:
    page = desk(Role.ADMISSIONS).page(_card("JPO-222222"))

    assert page.status == 404
    assert "Aucune inscription" in page.one("h1").text()


def test_card_of_another_day_has_no_button(desk: Desk, app: Flask, number: str) -> None:
    ada = register(app, number, "Ada")
    client = desk(Role.ADMISSIONS)

    card = client.page(_card(ada))
    token = card.one("[name=csrf_token]").attributes["value"]
    client.post(f"{_card(ada)}/arrivee", data={"csrf_token": token})

    assert "Rendez-vous un autre jour : samedi 7 mars 2099 à 10 h." in card.text
    assert not card.tree.css("main form")
    assert registration(app, ada).state is RegistrationState.CONFIRMED


@both
def test_list_finds_by_name_or_reference_and_notes(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    zoe, bob = register(app, number, "Zoé"), register(app, number, "Bob")
    clock.move_to(MORNING)
    client = desk(Role.ADMISSIONS)

    by_name = client.page(f"{_door(number)}?q=zoe+MARTIN")
    by_reference = client.page(f"{_door(number)}?q={bob.lower()}")
    scanned = client.page(f"{_door(number)}?q=http://127.0.0.1:8000{_card(bob)}")
    nobody = client.page(f"{_door(number)}?q=xavier")
    noted = _press(client, by_name, f"{_card(zoe)}/arrivee")

    assert [(zoe in page.html, bob in page.html) for page in (by_name, by_reference, scanned, nobody)] == [
        (True, False),
        (False, True),
        (False, True),
        (False, False),
    ]
    assert "Personne ne correspond" in nobody.text
    assert "Martin Zoé, 1 personne. arrivée notée" in noted.text.lower().replace("martin zoé", "Martin Zoé")
    assert client.get(f"{_door(number)}/places").json == {"here": 1, "expected": 1, "free": 1, "waiting": 0}


@both
@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("Lebœuf", ["leboeuf", "LEBŒUF", "le boeuf", "boeuf ana"]),
        ("Le Bœuf", ["leboeuf", "le bœuf", "Le\u00a0Boeuf"]),
        ("Œuvrard", ["oeuvrard", "ŒUVR", "Oeuvrard Ana"]),
        ("Łoś", ["los", "łoś", "LOS"]),
        ("d’Aÿ-Straße", ["day strasse", "d'ay", "dʼAy", "daystrasse"]),
        ("Zo\u200bé\u00adtrope", ["zoetrope", "zoé"]),
    ],
)
def test_list_finds_a_name_without_its_signs(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller, name: str, searches: list[str]
) -> None:
    reference = register(app, number, "Ana", last_name=name)
    other = register(app, number, "Bob")
    clock.move_to(MORNING)
    client = desk(Role.ADMISSIONS)

    for search in searches:
        page = client.page(f"{_door(number)}?{urlencode({'q': search})}")
        assert (reference in page.html, other in page.html) == (True, False), search
    assert other not in client.page(f"{_door(number)}?q=%21%21").html


def _written(reference: str) -> list[str]:
    address = f"https://ecole.example{_card(reference)}"
    return [
        reference.lower(),
        reference.replace("-", ""),
        reference.replace("-", " "),
        reference.replace("-", "\u202f–\u202f"),
        f"\u200b{reference}\ufeff",
        reference.partition("-")[2],
        f"{reference[:6]} {reference[6:]}",
        address,
        scanned_on_azerty(reference),
        scanned_on_azerty(address),
    ]


@both
def test_list_finds_a_reference_as_it_is_typed_or_scanned(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    ada, bob = register(app, number, "Ada"), register(app, number, "Bob")
    clock.move_to(MORNING)
    client = desk(Role.ADMISSIONS)

    for search in _written(ada):
        page = client.page(f"{_door(number)}?{urlencode({'q': search})}")
        assert (ada in page.html, bob in page.html) == (True, False), search


@both
def test_card_opens_and_notes_by_a_reference_as_it_is_typed_or_scanned(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    ada = register(app, number, "Ada")
    clock.move_to(MORNING)
    client = desk(Role.ADMISSIONS)

    # An address holds neither « / » nor signs that can't be printed.
    for typed in (text for text in _written(ada) if text.isprintable() and "/" not in text):
        card = client.page(f"/admissions/accueil/{quote(typed)}")
        assert (card.status, card.one("h1").text()) == (200, "Ada Martin"), typed
    token = card.one("[name=csrf_token]").attributes["value"]
    client.post(f"/admissions/accueil/{quote(scanned_on_azerty(ada))}/arrivee", data={"csrf_token": token})

    assert registration(app, ada).state is RegistrationState.ATTENDED


def test_scanned_code_leads_through_the_sign_in_to_the_card(
    browser: Browser, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    ada = register(app, number, "Ada")
    add_member(app, Role.ADMISSIONS)
    clock.move_to(MORNING)
    client, path = browser(), f"/admissions/accueil/{quote(scanned_on_azerty(ada))}"

    way = client.page(f"{path}?connexion").response.headers["Location"]
    form = client.page(way)
    entered = client.send(
        form.form(str(form.one("main form").attributes["action"])), email=address(Role.ADMISSIONS), password=PASSWORD
    )

    assert client.follow(entered).one("h1").text() == "Ada Martin"


def test_walk_in_is_asked_once_whose_number_it_is(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    clock.move_to(MORNING)
    client, path = desk(Role.ADMISSIONS), f"{_door(number)}/sans-inscription"

    asked = client.send(
        client.page(path).form(path), **EVE | {"last_name": "Le\u00a0Bœuf\u200b"}, phone="0470 12 34 56"
    )
    choice = asked.one("input[type=radio][value='+32470123456']").attributes["name"]
    noted = client.follow(client.send(asked.form(path), **{str(choice): "+32470123456"}))

    assert list(asked.errors()) == ["phone_meant"]
    assert "Le Bœuf Ève" in noted.text
    with app.app_context():
        assert db.session.scalars(select(Submission.phone)).one() == "+32470123456"


def test_whoever_comes_at_another_hour_is_found(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    ada = register(app, number, "Ada")
    client = desk(Role.ADMISSIONS)
    path = "/admissions/portes-ouvertes/journees/1/creneaux"
    more = {"on": "2099-03-07", "capacity": "5", "start_1": "14:00", "end_1": "16:00"}
    client.follow(client.send(client.page(path).form(path), **more))
    clock.move_to(MORNING)
    enter(client, email=address(Role.ADMISSIONS))

    page = client.page(f"{_door(str(int(number) + 1))}?q=ada")
    noted = _press(client, page, f"{_card(ada)}/arrivee")

    assert "Dans un autre créneau aujourd’hui" in page.text
    assert "Arrivée notée à 9 h." in noted.text


@both
def test_wrong_arrival_is_undone(desk: Desk, app: Flask, number: str, clock: time_machine.Traveller) -> None:
    ada = register(app, number, "Ada")
    clock.move_to(MORNING)
    client = desk(Role.ADMISSIONS)
    noted = _press(client, client.page(_door(number)), f"{_card(ada)}/arrivee")

    _press(client, noted, f"{_card(ada)}/arrivee/annulation")
    _press(client, noted, f"{_card(ada)}/arrivee/annulation")

    assert (registration(app, ada).state, registration(app, ada).checked_in_at) == (RegistrationState.CONFIRMED, None)
    assert len(audited(app, "arrival undone")) == 1


@both
def test_walk_in_is_seated_and_undone(desk: Desk, app: Flask, number: str, clock: time_machine.Traveller) -> None:
    clock.move_to(MORNING)
    client, path = desk(Role.ADMISSIONS), f"{_door(number)}/sans-inscription"

    noted = client.follow(client.send(client.page(path).form(path), **EVE, companions="1"))
    taken = client.get(f"{_door(number)}/places").json
    reference = noted.response.request.args["note"]
    _press(client, noted, f"{_card(reference)}/arrivee/annulation")

    assert "Martin Ève, 2 personnes" in noted.text
    assert taken == {"here": 2, "expected": 0, "free": 1, "waiting": 0}
    assert registration(app, reference).state is RegistrationState.CANCELLED
    assert len(audited(app, "walk-in")) == 1


def test_walk_in_beyond_the_seats_is_refused_beside_its_field(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    register(app, number, "Ada", companions=1)
    clock.move_to(MORNING)
    client, path = desk(Role.ADMISSIONS), f"{_door(number)}/sans-inscription"

    page = client.send(client.page(path).form(path), **EVE, companions="2")

    assert page.status == 422
    assert page.errors()["companions"] == "Places libres : 1. Il en faudrait 3."
    assert page.form(path).values["first_name"] == "Ève"


@both
def test_who_waits_gets_a_free_seat_and_goes_back_to_the_line(
    desk: Desk, app: Flask, clock: time_machine.Traveller
) -> None:
    number = plan_slot(app, capacity=1)
    ada, bob = register(app, number, "Ada"), register(app, number, "Bob")
    clock.move_to(MORNING + timedelta(hours=1, minutes=5))
    client = desk(Role.ADMISSIONS)

    full = client.page(_door(number))
    token = full.one("[name=csrf_token]").attributes["value"]
    refused = client.follow(Page(client.post(f"{_card(bob)}/place", data={"csrf_token": token, "slot": number})))
    still = registration(app, bob).state
    with app.app_context():
        registration_of_ada = db.session.merge(registration(app, ada))
        registration_of_ada.state = RegistrationState.CANCELLED
        db.session.commit()
    seated = _press(client, client.page(_door(number)), f"{_card(bob)}/place")
    now_here = registration(app, bob).state
    _press(client, seated, f"{_card(bob)}/arrivee/annulation")

    assert f"{_card(bob)}/place" not in full.html
    assert "Il n’y a pas assez de places libres." in refused.text
    assert (still, now_here) == (RegistrationState.WAITING, RegistrationState.ATTENDED)
    assert registration(app, bob).state is RegistrationState.WAITING


def test_door_opens_on_the_day_itself(desk: Desk, app: Flask, number: str) -> None:
    ada = register(app, number, "Ada")
    client = desk(Role.ADMISSIONS)

    page, walk_in = client.page(_door(number)), client.page(f"{_door(number)}/sans-inscription")

    assert "n’est pas aujourd’hui" in page.text
    assert ada not in page.html
    assert walk_in.status == 409


def test_page_that_asks_for_counts_by_itself_keeps_no_session_alive(
    desk: Desk, app: Flask, number: str, clock: time_machine.Traveller
) -> None:
    client = desk(Role.ADMISSIONS)
    for _ in range(13):
        clock.shift(timedelta(minutes=10))
        client.get(f"{_door(number)}/places")

    assert client.get(f"{_door(number)}/places").status_code == 303
    with app.app_context():
        assert db.session.query(StaffSession).one().seen_at == BEFORE
