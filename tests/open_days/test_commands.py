"""open-days add and list: Paris times, and refusals that say what to do."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.db import db, writing
from microsite.open_days.models import OpenDay, Slot
from microsite.open_days.samples import plan_samples

from ..answers import TELL_ME, add_slot
from ..page import CheckedClient
from .desk import register, run, told

ADD = ["add", "--place", "Paris", "--capacity", "5", "--date"]
COMMANDS = ["add", "attendees", "cancel", "check-in", "edit", "import", "list", "remove-samples", "walk-in"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2099-02-30", "--slot", "10:00-12:00"], "n’est pas une date"),
        (["2099-03-07", "--slot", "10h"], "n’est pas un horaire"),
        (["2099-03-07", "--slot", "12:00-10:00"], "la fin doit venir après le début"),
        (["2020-03-07", "--slot", "10:00-12:00"], "un créneau doit commencer dans l’avenir"),
        # The last Sunday of March: at two o'clock, clocks jump to three.
        (["2099-03-29", "--slot", "02:30-04:00"], "il n’est jamais 02:30 à Paris"),
        (["2027-03-28", "--slot", "02:30-04:00"], "il n’est jamais 02:30 à Paris"),
        (["2027-03-28", "--slot", "01:00-02:30"], "il n’est jamais 02:30 à Paris"),
        (["2099-03-07", "--slot", "10:00-12:00-14:00"], "n’est pas un horaire"),
        (["2099-03-07", "--slot", "10:00Z-12:00"], "n’est pas un horaire"),
        (["2099-03-07", "--slot", "10:00-12:00", "--slot", "11:00-13:00"], "deux créneaux se chevauchent"),
        (["2099-03-07", "--slot", "10:00-12:00", "--slot", "10:00-12:00"], "deux créneaux se chevauchent"),
        (["2099-03-07", "--slot", "10:00-12:00", "--title", " "], "attendu un texte lisible de 1 à 120 caractères"),
        (["2099-03-07", "--slot", "10:00-12:00", "--title", "x" * 121], "de 1 à 120 caractères"),
        (["2099-03-07", "--slot", "10:00-12:00", "--title", "a\nb"], "attendu un texte lisible de 1 à 120 caractères"),
        (["2099-03-07", "--slot", "10:00-12:00", "--access", "x" * 1001], "de 1 à 1000 caractères"),
        (["2099-03-07", "--slot", "10:00-12:00", "--online", "http://visio.example/x"], "qui commence par https://"),
        (["2099-03-07", "--slot", "10:00-12:00", "--online", "https://visio .example"], "qui commence par https://"),
        (["2099-03-07", "--slot", "10:00-12:00", "--opens", "2099-03-08"], "doivent ouvrir avant le début"),
        (["2099-03-07", "--slot", "10:00-12:00", "--closes", "2099-03-08"], "ne peuvent pas fermer après le début"),
        (
            ["2099-03-07", "--slot", "10:00-12:00", "--opens", "2099-03-02", "--closes", "2099-03-01"],
            "doivent ouvrir avant de fermer",
        ),
        (["2099-03-07", "--slot", "10:00-12:00", "--opens", "lundi"], "n’est pas une date comme"),
        (["2099-03-07", "--slot", "10:00-12:00", "--opens", "2099-03-01 25:00"], "une heure de 00:00 à 23:59"),
        (["2099-03-07", "--slot", "10:00-12:00", "--day", "1"], "--day va sans --title, --place"),
        (["2099-03-07"], "Missing option '--slot'"),
    ],
)
def test_wrong_plan_is_refused_and_adds_nothing(app: Flask, arguments: list[str], said: str) -> None:
    result = run(app, *ADD, *arguments)

    assert result.exit_code == 2
    assert said in result.stderr
    assert "Aucun créneau prévu." in told(app, "list")


def test_french_dates_and_several_slots_are_accepted(app: Flask) -> None:
    hours = ["--slot", "10:00-12:00", "--slot", "14:00-16:30"]

    added = told(app, *ADD, "07/07/2099", *hours, "--title", "Nocturne")

    assert added == "Ajouté : Nocturne, le 07/07/2099, créneaux : 2, places par créneau : 5 (journée 1).\n"
    assert told(app, "list").splitlines() == [
        "Journée 1 : Nocturne, Paris",
        "   1  07/07/2099 10:00-12:00     0 / 5 places prises",
        "   2  07/07/2099 14:00-16:30     0 / 5 places prises",
        "À prévenir d’une nouvelle date : 0",
    ]


def test_everything_that_a_day_says_is_kept(app: Flask) -> None:
    window = ["--opens", "2099-02-01 09:00", "--closes", "05/03/2099"]
    words = ["--access", "Métro Exemple, sortie 2", "--description", "Visite des studios"]

    told(app, *ADD, "2099-03-07", "--slot", "10:00-12:00", *window, *words)

    with app.app_context():
        slot = db.session.scalars(select(Slot)).one()
        assert (slot.open_day.access, slot.open_day.description) == ("Métro Exemple, sortie 2", "Visite des studios")
        assert slot.opens_at == datetime(2099, 2, 1, 8, tzinfo=UTC)
        assert slot.closes_at == datetime(2099, 3, 5, 23, tzinfo=UTC)
    assert "inscriptions dès le 01/02/2099 09:00, jusqu’au 06/03/2099 00:00" in told(app, "list")


def test_day_online_has_its_place_said_for_it(app: Flask) -> None:
    told(app, "add", "--online", "https://visio.example/j/1?pwd=x", *ADD[3:], "2099-03-07", "--slot", "18:00-19:00")

    assert "Journée 1 : Journée portes ouvertes, En ligne  https://visio.example/j/1?pwd=x" in told(app, "list")


def test_day_without_place_or_address_is_refused(app: Flask) -> None:
    result = run(app, "add", "--capacity", "5", "--date", "2099-03-07", "--slot", "18:00-19:00")

    assert result.exit_code == 2
    assert "donnez --place, ou --online" in result.stderr


def test_registration_that_closes_the_evening_of_the_day_closes_as_it_begins(app: Flask) -> None:
    told(app, *ADD, "2099-03-07", "--slot", "10:00-12:00", "--closes", "2099-03-07")

    with app.app_context():
        assert db.session.scalars(select(Slot.closes_at)).one() is None


def test_hour_that_comes_twice_is_the_first_one(app: Flask) -> None:
    """31 October 2027: at three o'clock, clocks go back to two."""
    told(app, *ADD, "2027-10-31", "--slot", "02:30-03:30")

    with app.app_context():
        slot = db.session.scalars(select(Slot)).one()
        assert slot.starts_at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
        assert slot.ends_at - slot.starts_at == timedelta(hours=2)
    assert "31/10/2027 02:30-03:30" in told(app, "list")


def test_same_slot_twice_is_refused(app: Flask) -> None:
    add_slot(app, capacity=5)

    again = run(app, *ADD, "2099-03-07", "--slot", "10:00-11:00")

    assert again.exit_code == 2
    assert "cette journée a déjà un créneau à cette heure" in again.stderr


def test_people_who_asked_for_a_date_are_counted(app: Flask, client: CheckedClient) -> None:
    client.follow(client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **TELL_ME))

    added = told(app, *ADD, "2099-03-07", "--slot", "10:00-12:00")

    assert "À prévenir de cette date, dans dix minutes ou à l’ouverture des inscriptions : 1 personne.\n" in added


def test_samples_still_offered_are_told(app: Flask) -> None:
    with app.app_context(), writing():
        plan_samples(db.session(), now=datetime.now(UTC))

    added = run(app, *ADD, "2099-03-07", "--slot", "10:00-12:00")

    assert "Attention : des journées d’exemple sont encore proposées" in added.stderr
    more = run(app, "add", "--day", "1", "--date", "2099-03-07", "--slot", "14:00-16:00", "--capacity", "4")
    assert more.exit_code == 1
    assert "c’est une journée d’exemple" in more.stderr


def test_slot_that_was_cancelled_can_be_planned_again(app: Flask) -> None:
    slot = add_slot(app, capacity=5)
    told(app, "cancel", "--slot", slot, "--yes")

    told(app, *ADD, "2099-03-07", "--slot", "10:00-11:00")


def test_likely_mistakes_are_told_and_the_day_is_added(app: Flask) -> None:
    add_slot(app, capacity=5)
    with time_machine.travel("2099-01-01T00:00:00+00:00", tick=False):
        early = run(app, *ADD, "2099-03-07", "--slot", "02:00-04:00", "--closes", "2098-12-31")

    assert early.exit_code == 0
    assert early.stderr.splitlines() == [
        "Attention : une journée est déjà prévue ce jour-là, « Journée portes ouvertes, Paris » ; "
        "pour lui ajouter un créneau : open-days add --day 1.",
        "Attention : le créneau commence à 02:00, avant le jour.",
        "Attention : les inscriptions sont déjà closes.",
    ]
    far = run(app, *ADD, "2099-05-07", "--slot", "10:00-12:00")
    assert far.stderr == "Attention : le créneau est dans plus de deux ans (07/05/2099).\n"


def test_day_gets_more_slots(app: Flask) -> None:
    add_slot(app, capacity=5)

    added = told(app, "add", "--day", "1", "--date", "2099-03-07", "--slot", "14:00-16:00", "--capacity", "9")

    assert "Ajouté : Journée portes ouvertes, le 07/03/2099, créneaux : 1" in added
    with app.app_context():
        assert [slot.capacity for slot in db.session.scalars(select(OpenDay)).one().slots] == [5, 9]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["1", "--slot", "11:00-13:00"], 2, "deux créneaux se chevauchent"),
        (["2", "--slot", "14:00-16:00"], 1, "aucune journée n’a le numéro 2"),
        (["3000000000", "--slot", "14:00-16:00"], 2, "« 3000000000 » n’est pas un numéro"),
    ],
)
def test_slot_that_a_day_cannot_have_is_refused(app: Flask, arguments: list[str], code: int, said: str) -> None:
    add_slot(app, capacity=5)

    result = run(app, "add", "--date", "2099-03-07", "--capacity", "9", "--day", *arguments)

    assert result.exit_code == code
    assert said in result.stderr


def test_past_slots_are_listed_on_demand(app: Flask) -> None:
    with time_machine.travel("2026-01-01T00:00:00+00:00", tick=False):
        add_slot(app, capacity=5, day="2026-02-07")

    assert "07/02/2026" not in told(app, "list")
    assert "07/02/2026" in told(app, "list", "--all")


def test_slot_under_way_is_listed_for_those_at_the_door(app: Flask) -> None:
    with time_machine.travel("2099-03-07T08:00:00+00:00", tick=False) as clock:
        add_slot(app, capacity=5)
        clock.move_to(datetime(2099, 3, 7, 10, 59, tzinfo=UTC))

        assert "07/03/2099 10:00-12:00" in told(app, "list")


def test_list_tells_who_waits_and_who_is_offered_seats(app: Flask) -> None:
    slot = add_slot(app, capacity=3)
    register(app, slot, "Ada", companions=1)
    register(app, slot, "Bob", companions=2)
    register(app, slot, "Cleo", companions=1)

    assert "   2 / 3 places prises, en attente : 2 (5 places)" in told(app, "list")

    told(app, "edit", "--slot", slot, "--capacity", "5")

    assert "   5 / 5 places prises, dont 3 proposées, en attente : 1 (2 places)" in told(app, "list")


def test_list_counts_one_seat_in_the_singular(app: Flask) -> None:
    slot = add_slot(app, capacity=1)
    for name in ("Ada", "Bob"):
        register(app, slot, name)

    told(app, "edit", "--slot", slot, "--capacity", "2")

    assert "2 / 2 places prises, dont 1 proposée\n" in told(app, "list")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_complete(app: Flask, command: str) -> None:
    shown = told(app, command, "--help")

    options = shown.partition("Options:")[2]
    assert len(shown.splitlines()[2].strip()) > 20
    assert all(len(line.split("  ")) > 1 for line in options.splitlines() if line.strip())
    assert f"  {command}" in told(app, "--help")
