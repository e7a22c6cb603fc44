"""Who is expected in a slot, and how slots fill: what the screens and the file for Excel show."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask

from microsite.db import db, writing
from microsite.exports.attendees import attendees_csv
from microsite.open_days.attendance import check_in
from microsite.open_days.models import RegistrationState, Slot
from microsite.open_days.rosters import get_filling, list_attendees, list_fillings
from microsite.web.context import utc_now

from ..answers import plan_slot
from .desk import edit, register

MORNING = datetime(2099, 3, 7, 8, tzinfo=UTC)  # 9:00 in Paris; the slot begins at 10:00
OFFERED, WAITING = RegistrationState.OFFERED, RegistrationState.WAITING


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


def _attendees(app: Flask, slot: str) -> list[tuple[str, str, int | None, str]]:
    """Reference, state, place in the waiting list, needs."""
    with app.app_context():
        people = list_attendees(db.session(), db.session.get_one(Slot, int(slot)))
        return [
            (one.registration.submission.reference, str(one.registration.state), one.place, one.access_needs)
            for one in people
        ]


def _rows(app: Flask, slot: str) -> list[dict[str, str]]:
    """Of the file for Excel."""
    with app.app_context():
        content = attendees_csv(list_attendees(db.session(), db.session.get_one(Slot, int(slot))))
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_attendees_come_by_name_then_the_line_in_its_order(app: Flask) -> None:
    slot = plan_slot(app, capacity=3)
    zoe = register(app, slot, "Zoe", companions=1, access_needs="Un fauteuil\nUne place devant")
    ada = register(app, slot, "Ada")
    bob = register(app, slot, "Bob", companions=1)
    ian = register(app, slot, "Ian")
    with app.app_context(), writing():
        check_in(db.session(), zoe, now=utc_now())

    assert _attendees(app, slot) == [
        (ada, "confirmed", None, ""),
        (zoe, "attended", None, "Un fauteuil\nUne place devant"),
        (bob, "waiting", 1, ""),
        (ian, "waiting", 2, ""),
    ]


def test_attendees_are_in_french_order(app: Flask) -> None:
    slot = plan_slot(app, capacity=30)
    in_order = [
        "Æbischer", "Béart", "Bertrand", "cote", "Coté", "Côte", "Côté", "D’Aÿ", "de la Tour", "Lebœuf", "Le Bozec", "Lecomte",
        "Łoś", "Odin", "Œuvrard", "Olivier", "Ørsted", "Strauß", "Straussen", "Zola",
    ]  # fmt: skip
    for name in [*in_order[1::2], *in_order[::2]]:
        register(app, slot, "Ana", last_name=name)

    assert [row["Nom"] for row in _rows(app, slot)] == in_order


def test_need_told_when_sending_the_form_again_is_shown(app: Flask) -> None:
    slot = plan_slot(app, capacity=3)
    register(app, slot, "Ada")
    register(app, slot, "Ada", access_needs="Un ascenseur")

    assert [needs for *_, needs in _attendees(app, slot)] == ["Un ascenseur"]


def test_attendees_go_to_excel_without_a_formula(app: Flask) -> None:
    slot = plan_slot(app, capacity=2)
    ada = register(app, slot, "=1+1", companions=1, access_needs="=cmd()")
    register(app, slot, "Bob")

    first, second = _rows(app, slot)

    assert first == {
        "Référence": ada,
        "Nom": "Martin",
        "Prénom": "'=1+1",
        "Accompagnants": "1",
        "État": "inscription confirmée",
        "Rang dans la file": "",
        "Place proposée jusqu’au": "",
        "Arrivée": "",
        "Sans inscription": "non",
        "Besoins d’accessibilité": "'=cmd()",
        "E-mail": "'=1+1@exemple.fr",
        "Téléphone": "",
    }
    assert (second["État"], second["Rang dans la file"]) == ("en attente", "1")


def test_slot_under_way_is_listed_for_those_at_the_door(app: Flask, clock: time_machine.Traveller) -> None:
    slot = plan_slot(app, capacity=5)
    clock.move_to(datetime(2099, 3, 7, 10, 59, tzinfo=UTC))

    with app.app_context():
        assert [filling.slot.id for filling in list_fillings(db.session(), after=utc_now())] == [int(slot)]


def test_filling_tells_who_waits_and_who_is_offered_seats(app: Flask, clock: time_machine.Traveller) -> None:
    clock.shift(-3600)
    slot = plan_slot(app, capacity=3)
    register(app, slot, "Ada", companions=1)
    register(app, slot, "Bob", companions=2)
    register(app, slot, "Cleo", companions=1)

    with app.app_context():
        full = get_filling(db.session(), db.session.get_one(Slot, int(slot)))
    edit(app, slot, capacity=5)
    with app.app_context():
        wider = get_filling(db.session(), db.session.get_one(Slot, int(slot)))

    assert (full.taken, full.parties[WAITING], full.seats[WAITING]) == (2, 2, 5)
    assert (wider.taken, wider.seats[OFFERED], wider.parties[WAITING], wider.seats[WAITING]) == (5, 3, 1, 2)
