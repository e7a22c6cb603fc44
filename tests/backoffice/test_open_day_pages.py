"""Planning open days in the back-office: the import's own checks, and nobody's change lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from microsite.backoffice.models import Role

from ..answers import call_off, plan_slot
from ..exports.test_excel_cells import phoned
from ..open_days.desk import register
from ..page import CheckedClient, Page
from .conftest import Desk, add_member, enter
from .open_days import BEFORE, MORNING, audited, registration, slot, slots

AT = "/admissions/portes-ouvertes"
NEW = f"{AT}/nouvelle"
DAY = {"place": "12 rue Test, Paris", "on": "2099-03-14", "capacity": "30", "start_1": "10:00", "end_1": "12:00"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEFORE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def client(desk: Desk) -> CheckedClient:
    return desk(Role.ADMISSIONS)


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


both = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)


def _fill(client: CheckedClient, path: str, **answers: str | None) -> Page:
    return client.send(client.page(path).form(path), **answers)


@both
def test_day_is_planned_with_its_slots(client: CheckedClient, app: Flask) -> None:
    page = client.follow(_fill(client, NEW, **DAY, start_2="14:00", end_2="16:00", opens="2099-02-10T09:00"))

    assert "Journée prévue" in page.text
    assert [one.starts_at.hour for one in slots(app)] == [9, 13]
    assert {one.capacity for one in slots(app)} == {30}
    assert "samedi 14 mars 2099" in page.text
    assert [entry.details for entry in audited(app, "open day planned")] == [{"slots": 2}]


def test_second_day_on_one_date_is_told_of(client: CheckedClient) -> None:
    client.follow(_fill(client, NEW, **DAY))

    page = client.follow(_fill(client, NEW, **DAY | {"start_1": "17:00", "end_1": "18:00", "place": "Salle Bazin"}))

    assert "Une autre l’était déjà ce jour-là" in page.text


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"on": "2099-01-14"}, "on", "Un créneau doit commencer dans l’avenir."),
        ({"on": "14/03"}, "on", "Saisissez une date qui existe"),
        ({"place": ""}, "place", "Dites où elle aura lieu"),
        ({"end_1": "09:00"}, "end_1", "La fin doit venir après le début."),
        ({"end_1": ""}, "end_1", "Donnez le début et la fin"),
        ({"start_1": "", "end_1": ""}, "start_1", "Donnez au moins un créneau."),
        ({"start_2": "11:00", "end_2": "13:00"}, "start_2", "Deux créneaux se chevauchent."),
        ({"opens": "2099-03-14T10:00"}, "opens", "doivent ouvrir avant le début"),
        ({"closes": "2099-03-16T10:00"}, "closes", "ne peuvent pas fermer après"),
        ({"opens": "2099-03-12T10:00", "closes": "2099-03-11T10:00"}, "opens", "doivent ouvrir avant de fermer"),
        ({"capacity": "0"}, "capacity", "de 1 à 10000"),
        ({"online_url": "http://exemple.fr"}, "online_url", "commence par https://"),
        ({"on": "2099-03-29", "start_1": "02:30", "end_1": "04:00"}, "start_1", "il n’est jamais 02:30 à Paris"),
    ],
)
def test_impossible_day_is_refused_beside_its_field(
    client: CheckedClient, app: Flask, changed: dict[str, str], field: str, told: str
) -> None:
    page = _fill(client, NEW, **{**DAY, **changed})

    assert page.status == 422
    assert told in page.errors()[field]
    assert slots(app) == []


def test_same_day_isn_t_planned_twice(client: CheckedClient, app: Flask) -> None:
    client.follow(_fill(client, NEW, **DAY))

    page = _fill(client, NEW, **DAY)

    assert "a déjà un créneau à cette heure" in page.errors()["start_1"]
    assert len(slots(app)) == 1


def test_slot_that_was_called_off_can_be_planned_again(client: CheckedClient, app: Flask) -> None:
    client.follow(_fill(client, NEW, **DAY))
    call_off(app, "1")

    client.follow(_fill(client, NEW, **DAY))

    assert [one.cancelled_at is None for one in slots(app)] == [False, True]


def test_hour_that_comes_twice_is_the_first_one(client: CheckedClient, app: Flask) -> None:
    """25 October 2099: at three o'clock, clocks go back to two."""
    client.follow(_fill(client, NEW, **DAY | {"on": "2099-10-25", "start_1": "02:30", "end_1": "03:30"}))

    (planned,) = slots(app)
    assert planned.starts_at == datetime(2099, 10, 25, 0, 30, tzinfo=UTC)
    assert planned.ends_at - planned.starts_at == timedelta(hours=2)


def test_registration_that_closes_the_evening_of_the_day_closes_as_it_begins(client: CheckedClient, app: Flask) -> None:
    client.follow(_fill(client, NEW, **DAY, closes="2099-03-14T20:00"))

    assert [one.closes_at for one in slots(app)] == [None]


def test_slot_moved_to_another_day_keeps_the_hour_that_clocks_show(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app)

    client.follow(_fill(client, f"{AT}/{number}/modification", on="2099-07-14"))

    assert slot(app, number).starts_at == datetime(2099, 7, 14, 8, tzinfo=UTC)


def test_window_is_set_and_taken_away(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app)
    path = f"{AT}/{number}/modification"

    client.follow(_fill(client, path, opens="2099-02-10T09:00", closes="2099-03-01T12:00"))
    bounded = slot(app, number)
    client.follow(_fill(client, path, opens="", closes=""))
    free = slot(app, number)

    assert bounded.opens_at == datetime(2099, 2, 10, 8, tzinfo=UTC)
    assert bounded.closes_at == datetime(2099, 3, 1, 11, tzinfo=UTC)
    assert (free.opens_at, free.closes_at) == (None, None)


def test_slots_are_added_to_a_day_beside_those_it_has(client: CheckedClient, app: Flask) -> None:
    plan_slot(app)
    path = f"{AT}/journees/1/creneaux"
    more = {"on": "2099-03-07", "capacity": "5", "start_1": "11:00", "end_1": "13:00"}

    refused = _fill(client, path, **more)
    client.follow(_fill(client, path, **{**more, "start_1": "12:00"}))

    assert "se chevauchent" in refused.errors()["start_1"]
    assert [one.open_day_id for one in slots(app)] == [1, 1]


@both
def test_another_place_is_told_to_those_who_registered(client: CheckedClient, app: Flask) -> None:
    register(app, plan_slot(app), "Ada")
    path = f"{AT}/journees/1"

    page = client.page(path)
    client.follow(client.send(page.form(path), place="3 rue Autre, Lyon"))

    assert "inscrites ou en attente (1)" in page.text
    assert [entry.details for entry in audited(app, "open day edited")] == [{"told": 1}]


@both
def test_fewer_seats_than_are_taken_drop_nobody_and_warn(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app, capacity=4)
    references = [register(app, number, name) for name in ("Ada", "Bob", "Cid")]

    page = client.follow(_fill(client, f"{AT}/{number}/modification", capacity="1"))

    assert "3 places sont prises pour 1." in page.text
    assert {str(registration(app, reference).state) for reference in references} == {"confirmed"}


@both
def test_second_editor_is_told_and_overwrites_nothing(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app, capacity=20)
    path = f"{AT}/{number}/modification"
    mine, theirs = client.page(path).form(path), client.page(path).form(path)
    client.follow(client.send(theirs, capacity="40", end="13:00"))

    told = client.send(mine, capacity="25")
    kept = slot(app, number)
    again = client.follow(client.send(told.form(path)))

    assert told.status == 409
    assert "entre-temps" in told.one("main [role=status]").text()
    assert "Places 40 25" in told.text
    assert "Fin 13:00 13:00" in told.text
    assert (kept.capacity, kept.ends_at.hour) == (40, 12)
    # Seen, it is one's own to decide; what wasn't typed in stays the other's.
    assert again.status == 200
    assert (slot(app, number).capacity, slot(app, number).ends_at.hour) == (25, 12)


def test_two_who_change_different_words_are_both_kept(client: CheckedClient, app: Flask) -> None:
    plan_slot(app, access="Métro\nligne 3")
    path = f"{AT}/journees/1"
    mine, theirs = client.page(path).form(path), client.page(path).form(path)
    client.follow(client.send(theirs, title="Soirée d’information"))

    told = client.send(mine, description="Visite du plateau.")
    client.follow(client.send(told.form(path)))

    assert told.status == 409
    with app.app_context():
        day = slots(app)[0]
    assert day.id
    page = client.page(path)
    assert page.form(path).values["title"] == "Soirée d’information"
    assert page.form(path).values["description"] == "Visite du plateau."


@both
def test_slot_is_called_off_once_it_is_said_whom_that_concerns(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app, capacity=1)
    references = [register(app, number, name) for name in ("Ada", "Bob")]
    path = f"{AT}/{number}/annulation"

    page = client.page(path)
    before = slot(app, number).cancelled_at
    client.follow(client.send(page.form(path)))

    assert before is None
    assert "2 personnes" in page.text
    assert slot(app, number).cancelled_at == BEFORE
    assert {str(registration(app, reference).state) for reference in references} == {"cancelled"}
    assert client.send(page.form(path)).status == 409
    assert len(audited(app, "slot cancelled")) == 1


def test_day_is_called_off_with_what_is_ahead_of_it(client: CheckedClient, app: Flask) -> None:
    register(app, plan_slot(app), "Ada")
    path = f"{AT}/journees/1/annulation"

    page = client.page(path)
    client.follow(client.send(page.form(path)))

    assert "1 personne" in page.text
    assert slots(app)[0].cancelled_at == BEFORE
    assert client.page(path).status == 409


def test_what_has_begun_changes_no_more(client: CheckedClient, app: Flask, clock: time_machine.Traveller) -> None:
    number = plan_slot(app)
    clock.move_to(MORNING.replace(hour=10))
    add_member(app, Role.ADMINISTRATOR)
    enter(client, email="administrator@ecole.example")

    for path in (f"{AT}/{number}/modification", f"{AT}/{number}/annulation", f"{AT}/journees/1"):
        assert client.page(path).status == 409


def test_past_days_stand_behind_a_link(client: CheckedClient, app: Flask) -> None:
    plan_slot(app, day="2099-01-10")
    plan_slot(app, day="2099-03-07")

    coming, past = client.page(AT), client.page(f"{AT}?passees=&avant=99999999999999")

    assert "7 mars 2099" in coming.text
    assert "10 janvier" not in coming.text
    assert "10 janvier 2099" in past.text
    assert "7 mars" not in past.text
    assert f"{AT}?passees=" in coming.links()


def test_past_days_go_on_where_a_page_ends(client: CheckedClient, app: Flask) -> None:
    for hour in range(64):
        plan_slot(app, capacity=1, day=f"2098-01-{1 + hour // 4:02}", hour=8 + 2 * (hour % 4))

    first = client.page(f"{AT}?passees=")
    more = next(link for link in first.links() if "avant=" in link)
    second = client.page(more)

    shown = [len([link for link in page.links() if link.removeprefix(f"{AT}/").isdigit()]) for page in (first, second)]
    assert shown == [60, 4]


def test_slot_shows_people_the_line_and_what_they_need(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app, capacity=2)
    register(app, number, "Ada", companions=1, access_needs="Un fauteuil")
    register(app, number, "Bob")

    page = client.page(f"{AT}/{number}")

    assert "Martin Ada 2 personnes confirmée Un fauteuil" in page.text
    assert "Liste d’attente (1)" in page.text
    assert [entry.details for entry in audited(app, "attendees seen")] == [{"rows": 2}]


def test_list_for_the_door_has_a_box_a_person(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app, capacity=2)
    reference = register(app, number, "Ada", companions=1)
    register(app, number, "Bob")

    page = client.page(f"{AT}/{number}/liste")

    assert f"Martin Ada +1 {reference}" in page.text
    assert len(page.tree.css(".tick")) == 2


def test_attendees_leave_as_a_csv_without_a_formula(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app, capacity=2)
    register(app, number, "=1+1")

    answer = client.get(f"{AT}/{number}/liste.csv")

    assert answer.headers["Content-Disposition"] == f"attachment; filename=inscrits-2099-03-07-{number}.csv"
    assert ";'=1+1;" in answer.data.decode("utf-8-sig")
    assert [entry.details for entry in audited(app, "attendees exported")] == [{"rows": 1}]


def test_attendees_file_on_screen_keeps_what_excel_would_change(client: CheckedClient, app: Flask) -> None:
    number = plan_slot(app, capacity=2)
    register(app, number, "00123", access_needs="12 mai")
    phoned(app, "+376312345")

    lines = client.get(f"{AT}/{number}/liste.csv").data.decode("utf-8-sig")

    assert ';"=""00123""";0;inscription confirmée;' in lines
    assert ';"=""12 mai""";' in lines
    assert ';"=""00 376 312 345"""' in lines


@pytest.mark.parametrize("number", ["999999", "99999999999999999999"])
def test_unknown_numbers_lead_nowhere(client: CheckedClient, number: str) -> None:
    for path in (f"{AT}/{number}", f"{AT}/{number}/accueil", f"{AT}/journees/{number}", f"{AT}/{number}/modification"):
        assert client.get(path).status_code == 404
