"""When one can register: not yet, no more, and what the days say of themselves meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from microsite.db import db, writing
from microsite.open_days.models import OpenDay, Slot

from ..answers import BROCHURE, call_off, export, plan_slot
from ..page import CheckedClient, Page

# Nine o'clock in Paris.
OPENING = datetime(2099, 2, 1, 8, tzinfo=UTC)


def _send(client: CheckedClient, **answers: str) -> Page:
    return client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE | answers)


def _values(page: Page) -> list[str | None]:
    return [node.attributes["value"] for node in page.tree.css("[type=radio]")]


def test_slot_that_opens_later_is_shown_and_cannot_be_chosen(client: CheckedClient, app: Flask) -> None:
    later, now = plan_slot(app, opens_at=OPENING), plan_slot(app, hour=14)

    page = client.page("/portes-ouvertes")

    assert "disabled" in page.one(f'[value="{later}"]').attributes
    assert "disabled" not in page.one(f'[value="{now}"]').attributes
    assert "Inscriptions à partir du dimanche 1er février 2099 à 9 h." in page.text
    refused = _send(client, slot=later)
    assert refused.status == 422
    assert "Les inscriptions à ce créneau ouvrent le dimanche 1er février 2099 à 9 h." in refused.summary()
    assert "checked" not in refused.one(f'[value="{later}"]').attributes


def test_slot_can_be_chosen_from_the_second_it_opens(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, opens_at=OPENING)
    with time_machine.travel(OPENING, tick=False):
        client.follow(_send(client, slot=slot))


def test_form_of_which_nothing_is_open_yet_says_when_and_takes_an_address(client: CheckedClient, app: Flask) -> None:
    plan_slot(app, opens_at=OPENING)

    page = client.page("/portes-ouvertes")

    assert "chaque créneau dit quand elles ouvrent" in page.text
    assert page.one("form button").text() == "Prévenez-moi"
    client.follow(client.send(page.form("/portes-ouvertes"), **BROCHURE))
    assert [row["slot"] for row in export(app)] == ["alert"]


@pytest.mark.parametrize("chosen", ["", "-attente"])
def test_slot_is_offered_until_its_registration_closes(client: CheckedClient, app: Flask, chosen: str) -> None:
    slot = plan_slot(app, closes_at=OPENING)
    with time_machine.travel(OPENING - timedelta(seconds=1), tick=False) as clock:
        form = client.page("/portes-ouvertes").form("/portes-ouvertes")
        assert _values(client.page("/portes-ouvertes")) == [slot, "prevenez-moi"]
        clock.move_to(OPENING)

        late = client.send(form, **BROCHURE, slot=f"{slot}{chosen}")

    assert late.status == 422
    assert "Ce créneau n’est plus proposé." in late.summary()
    assert _values(late) == ["prevenez-moi"]


def test_cancelled_slot_is_neither_shown_nor_taken(client: CheckedClient, app: Flask) -> None:
    slot, other = plan_slot(app, capacity=5), plan_slot(app, capacity=5, hour=14)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    call_off(app, slot)

    late = client.send(form, **BROCHURE, slot=slot)

    assert late.status == 422
    assert "Ce créneau n’est plus proposé." in late.summary()
    assert _values(late) == _values(client.page("/portes-ouvertes")) == [other, "prevenez-moi"]


def test_slot_left_without_any_seat_is_not_offered(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    with app.app_context(), writing():
        db.session.get_one(Slot, int(slot)).capacity = 0

    late = client.send(form, **BROCHURE, slot=slot)

    assert "Ce créneau n’est plus proposé." in late.summary()
    assert _values(late) == ["prevenez-moi"]


@pytest.mark.parametrize("path", ["/", "/portes-ouvertes", "/embed/portes-ouvertes"])
def test_online_day_keeps_its_address_to_itself(client: CheckedClient, app: Flask, path: str) -> None:
    slot = plan_slot(app, place="Salle Lumière", online_url="https://visio.example/secret")

    page = client.page(path)
    thanks = client.follow(_send(client, slot=slot))

    for shown in (page, thanks):
        assert "En ligne" in shown.text
        assert "visio.example" not in shown.html
    assert "Journée portes ouvertes, En ligne. Places disponibles." in page.text


def test_words_that_days_share_are_said_once_with_the_form(client: CheckedClient, app: Flask) -> None:
    for day in ("2099-03-07", "2099-03-14"):
        plan_slot(app, day=day, access="Métro Odéon", description="Visite du plateau")

    page = client.page("/portes-ouvertes")

    assert [node.text() for node in page.tree.css("form details summary")] == ["Programme et accès"]
    assert page.text.count("Métro Odéon") == page.text.count("Visite du plateau") == 1


def test_words_of_some_days_name_them(client: CheckedClient, app: Flask) -> None:
    plan_slot(app, access="Métro Odéon")
    plan_slot(app, day="2099-03-14", description="Visite du plateau")
    plan_slot(app, day="2099-03-14", hour=14, description="Visite du plateau")
    plan_slot(app, day="2099-03-21")

    page = client.page("/portes-ouvertes")

    assert [node.text() for node in page.tree.css("form details summary")] == [
        "Accès, samedi 7 mars 2099",
        "Programme, samedi 14 mars 2099",
    ]


def test_words_that_look_like_a_page_are_shown_as_typed(client: CheckedClient, app: Flask) -> None:
    plan_slot(app, access="<b>Métro</b>\nOdéon")

    assert "<b>Métro</b> Odéon" in client.page("/portes-ouvertes").text


def test_day_is_told_by_one_place_whatever_staff_call_it(app: Flask) -> None:
    slot = plan_slot(app, place="Salle Lumière")
    with app.app_context():
        day = db.session.get_one(Slot, int(slot)).open_day
        assert (day.where, OpenDay(place="Visio", online_url="https://visio.example").where) == (
            "Salle Lumière",
            "En ligne",
        )
