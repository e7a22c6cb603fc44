"""open-days edit and cancel: who is told, how often, and what can't be changed any more."""

from collections import Counter
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.db import db
from microsite.open_days.models import OpenDay, Registration, RegistrationState, Slot
from microsite.outbox.models import OutgoingMail

from ..answers import add_slot
from .desk import register, run, told

URL = "https://visio.example/j/1"


def _mails(app: Flask) -> Counter[str]:
    with app.app_context():
        return Counter(db.session.scalars(select(OutgoingMail.template)))


def _states(app: Flask) -> list[str]:
    with app.app_context():
        return [str(state) for state in db.session.scalars(select(Registration.state).order_by(Registration.id))]


def test_moved_slot_keeps_its_people_and_tells_each_once(app: Flask) -> None:
    slot = add_slot(app, capacity=2)
    register(app, slot, "Ada", companions=1)
    register(app, slot, "Bob")

    moved = told(app, "edit", "--slot", slot, "--date", "2099-03-14", "--hours", "14:00-16:00")

    assert moved.splitlines() == [
        f"Créneau {slot} modifié :",
        "  début : 07/03/2099 10:00 → 14/03/2099 14:00",
        "  fin : 07/03/2099 12:00 → 14/03/2099 16:00",
        "Prévenues du nouvel horaire, par un message : 2 personnes.",
        "Places prises : 2 / 2",
    ]
    assert _mails(app)["moved"] == 2
    again = told(app, "edit", "--slot", slot, "--date", "2099-03-14", "--hours", "14:00-16:00")
    assert again == "Rien à changer : ce créneau est déjà ainsi.\n"
    assert _mails(app)["moved"] == 2


def test_slot_moved_to_another_day_keeps_the_hour_that_clocks_show(app: Flask) -> None:
    slot = add_slot(app, capacity=2)

    told(app, "edit", "--slot", slot, "--date", "2099-07-14")

    assert "14/07/2099 10:00-12:00" in told(app, "list")


def test_more_seats_are_offered_to_those_who_wait(app: Flask) -> None:
    slot = add_slot(app, capacity=1)
    for name in ("Ada", "Bob", "Eve"):
        register(app, slot, name)

    raised = told(app, "edit", "--slot", slot, "--capacity", "2")

    assert "À qui des places sont proposées, dans la file d’attente : 1 personne.\nPlaces prises : 2 / 2\n" in raised
    assert _states(app) == ["confirmed", "offered", "waiting"]
    assert _mails(app)["offer"] == 1


def test_capacity_below_what_is_taken_drops_nobody_and_says_so(app: Flask) -> None:
    slot = add_slot(app, capacity=4)
    register(app, slot, "Ada", companions=2)

    lowered = run(app, "edit", "--slot", slot, "--capacity", "1")

    assert lowered.exit_code == 0
    assert "  places : 4 → 1\nPlaces prises : 3 / 1\n" in lowered.stdout
    assert "Attention : places prises : 3, pour 1 ; qui est inscrit le reste" in lowered.stderr
    assert _states(app) == ["confirmed"]
    assert _mails(app) == {"registration": 1}


def test_window_is_set_and_taken_away(app: Flask) -> None:
    slot = add_slot(app, capacity=4)

    told(app, "edit", "--slot", slot, "--opens", "2099-01-10", "--closes", "2099-03-01 12:00")
    assert "inscriptions dès le 10/01/2099 00:00, jusqu’au 01/03/2099 12:00" in told(app, "list")

    told(app, "edit", "--slot", slot, "--no-window")
    assert "inscriptions" not in told(app, "list")


def test_moved_slot_whose_registration_still_closes_as_before_warns(app: Flask) -> None:
    slot = add_slot(app, capacity=4)
    told(app, "edit", "--slot", slot, "--closes", "2099-03-01 12:00")

    moved = run(app, "edit", "--slot", slot, "--date", "2099-03-14")

    assert "les inscriptions ferment toujours le 01/03/2099 12:00 ; --closes change cela" in moved.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--slot", "1", "--hours", "13:00-15:00"], "deux créneaux se chevauchent"),
        (["--slot", "1", "--date", "2020-03-07"], "un créneau doit commencer dans l’avenir"),
        (["--slot", "1", "--date", "2099-03-29", "--hours", "02:30-04:00"], "il n’est jamais 02:30 à Paris"),
        (["--slot", "1", "--opens", "2099-03-08"], "doivent ouvrir avant le début"),
        (["--slot", "9", "--capacity", "3"], "aucun créneau n’a le numéro 9"),
        (["--slot", "trois", "--capacity", "3"], "« trois » n’est pas un numéro"),
        (["--day", "9", "--title", "Nocturne"], "aucune journée n’a le numéro 9"),
        (["--capacity", "3"], "donnez --slot NUMÉRO ou --day NUMÉRO"),
        (["--slot", "1", "--day", "1", "--capacity", "3"], "donnez --slot NUMÉRO ou --day NUMÉRO"),
        (["--slot", "1", "--title", "Nocturne"], "n’est pas pour un créneau : elle va avec --day"),
        (["--day", "1", "--capacity", "3"], "n’est pas pour une journée : elle va avec --slot"),
        (["--day", "1", "--title", ""], "attendu un texte lisible de 1 à 120 caractères"),
        (["--day", "1", "--online", "http://visio.example"], "qui commence par https://"),
    ],
)
def test_change_that_cannot_be_is_refused_and_changes_nothing(app: Flask, arguments: list[str], said: str) -> None:
    slot = add_slot(app, capacity=4)
    told(app, "add", "--day", "1", "--date", "2099-03-07", "--slot", "14:00-16:00", "--capacity", "4")
    register(app, slot, "Ada")
    before = told(app, "list")

    result = run(app, "edit", *arguments)

    assert result.exit_code in (1, 2)
    assert said in result.stderr
    assert told(app, "list") == before
    assert _mails(app) == {"registration": 1}


def test_slot_that_has_begun_or_is_cancelled_changes_no_more(app: Flask) -> None:
    with time_machine.travel(datetime(2099, 3, 7, 8, tzinfo=UTC), tick=False) as clock:
        slot, other = add_slot(app, capacity=4), add_slot(app, capacity=4, hours="14:00-16:00")
        told(app, "cancel", "--slot", other, "--yes")
        clock.move_to(datetime(2099, 3, 7, 9, tzinfo=UTC))

        begun = run(app, "edit", "--slot", slot, "--capacity", "9")
        cancelled = run(app, "edit", "--slot", other, "--capacity", "9")
        days = [run(app, "edit", "--day", day, "--place", "Lyon") for day in ("1", "2")]
        late = run(app, "cancel", "--slot", slot, "--yes")

    assert (begun.exit_code, cancelled.exit_code, late.exit_code) == (1, 1, 1)
    assert "ce créneau a commencé, ou il est passé" in begun.stderr
    assert "ce créneau est annulé" in cancelled.stderr
    assert all("cette journée est passée ou annulée" in day.stderr for day in days)
    assert "il est trop tard pour annuler" in late.stderr


def test_another_place_is_told_to_everybody_in_the_day_and_another_title_to_nobody(app: Flask) -> None:
    slot = add_slot(app, capacity=1)
    told(app, "add", "--day", "1", "--date", "2099-03-07", "--slot", "14:00-16:00", "--capacity", "4")
    register(app, slot, "Ada")
    register(app, slot, "Bob")
    register(app, str(int(slot) + 1), "Eve")

    titled = told(app, "edit", "--day", "1", "--title", "Nocturne", "--access", "Métro Exemple")
    assert titled.splitlines() == [
        "Journée 1 modifiée :",
        "  titre : Journée portes ouvertes → Nocturne",
        "  accès : rien → Métro Exemple",
    ]
    assert _mails(app)["moved"] == 0

    moved = told(app, "edit", "--day", "1", "--place", "Lyon", "--access", "")
    assert "  lieu : Paris → Lyon\n  accès : Métro Exemple → rien\n" in moved
    assert "Prévenues du nouveau lieu, par un message : 3 personnes." in moved
    assert _mails(app)["moved"] == 3


def test_what_staff_call_a_day_online_tells_nobody(app: Flask) -> None:
    slot = add_slot(app, capacity=4)
    told(app, "edit", "--day", "1", "--online", URL)
    register(app, slot, "Ada")

    named = told(app, "edit", "--day", "1", "--place", "Salle virtuelle 2")

    assert named == "Journée 1 modifiée :\n  lieu : En ligne → Salle virtuelle 2\n"
    assert _mails(app)["moved"] == 0
    told(app, "edit", "--day", "1", "--online", f"{URL}?bis")
    assert _mails(app)["moved"] == 1


def test_day_goes_online_and_comes_back(app: Flask) -> None:
    register(app, add_slot(app, capacity=4), "Ada")

    online = told(app, "edit", "--day", "1", "--online", URL)
    assert f"  lieu : Paris → En ligne\n  adresse en ligne : rien → {URL}\n" in online

    homeless = run(app, "edit", "--day", "1", "--online", "")
    assert homeless.exit_code == 2
    assert "dites où elle aura lieu : --place" in homeless.stderr

    told(app, "edit", "--day", "1", "--online", "", "--place", "Paris")
    with app.app_context():
        day = db.session.scalars(select(OpenDay)).one()
        assert (day.place, day.online_url) == ("Paris", "")
    assert _mails(app)["moved"] == 2


def test_cancelling_asks_with_the_number_of_people(app: Flask) -> None:
    slot = add_slot(app, capacity=1)
    for name in ("Ada", "Bob"):
        register(app, slot, name)

    refused = run(app, "cancel", "--slot", slot, typed="non\n")
    assert refused.exit_code == 1
    assert "Inscrites ou en attente : 2 personnes, qu’un message préviendra." in refused.stdout
    assert "rien n’est annulé" in refused.stderr
    assert _states(app) == ["confirmed", "waiting"]
    assert run(app, "cancel", "--slot", slot).exit_code == 1  # nobody there to answer

    agreed = told(app, "cancel", "--slot", slot, typed="Oui\n")
    assert agreed.endswith("Annulé : 07/03/2099 10:00-12:00\nPrévenues par un message : 2 personnes.\n")
    assert _states(app) == ["cancelled", "cancelled"]
    assert _mails(app) == {"registration": 2, "called_off": 2}
    assert "places prises, ANNULÉ" in told(app, "list")


def test_cancelling_again_tells_nobody_again(app: Flask) -> None:
    slot = add_slot(app, capacity=1)
    register(app, slot, "Ada")
    told(app, "cancel", "--day", "1", "--yes")

    for what in (("--slot", slot), ("--day", "1")):
        assert told(app, "cancel", *what) == "Déjà annulé : rien n’a changé.\n"
    assert _mails(app)["called_off"] == 1


def test_day_is_cancelled_with_what_is_left_of_it(app: Flask) -> None:
    with time_machine.travel(datetime(2099, 3, 7, 8, tzinfo=UTC), tick=False) as clock:
        morning = add_slot(app, capacity=4)
        told(app, "add", "--day", "1", "--date", "2099-03-07", "--slot", "14:00-16:00", "--capacity", "4")
        register(app, morning, "Ada")
        register(app, str(int(morning) + 1), "Eve")
        clock.move_to(datetime(2099, 3, 7, 9, 30, tzinfo=UTC))

        told(app, "cancel", "--day", "1", "--yes")

    assert _states(app) == ["confirmed", "cancelled"]
    with app.app_context():
        slots = db.session.scalars(select(Slot).order_by(Slot.id)).all()
        assert [slot.cancelled_at is not None for slot in slots] == [False, True]


@pytest.mark.parametrize("arguments", [["--yes"], ["--yes", "--slot", "1", "--day", "1"]])
def test_cancelling_needs_one_thing_to_cancel(app: Flask, arguments: list[str]) -> None:
    result = run(app, "cancel", *arguments)

    assert result.exit_code == 2
    assert "donnez --slot NUMÉRO ou --day NUMÉRO" in result.stderr


def test_registration_given_back_in_a_sample_day_is_not_told_of_dates(app: Flask) -> None:
    slot = add_slot(app, capacity=4)
    for name in ("Ada", "Bob"):
        register(app, slot, name)
    with app.app_context():
        db.session.scalars(select(OpenDay)).one().is_sample = True
        db.session.scalars(select(Registration).order_by(Registration.id)).first().state = RegistrationState.CANCELLED  # type: ignore[union-attr]
        db.session.commit()

    removed = told(app, "remove-samples")

    assert removed == "Journées d’exemple retirées : 1. Inscriptions devenues « à prévenir » : 1.\n"
