"""Suspicion never costs a person their place."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from click.testing import Result
from flask import Flask

from ..answers import BROCHURE, add_slot, export, only
from ..page import CheckedClient


def _client(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def test_too_fast_sending_asks_to_confirm_and_keeps_every_answer(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_MIN_FILL_SECONDS="2")
    client = _client(app)
    with time_machine.travel(datetime(2027, 1, 4, 9, tzinfo=UTC), tick=False):
        again = client.send(client.page("/brochure").form("/brochure"), **BROCHURE, email_consent="y")

        assert again.status == 422
        assert "Confirmer l’envoi" in again.one("button").text()
        assert "confirmez : rien n’est encore enregistré" in again.summary()
        assert export(app) == []
        client.follow(client.send(again.form("/brochure")))

    row = only(export(app))
    assert (row["first_name"], row["email_consent"], row["status"]) == ("Zoé", "true", "received")


def test_sending_at_human_speed_asks_nothing(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_MIN_FILL_SECONDS="2")
    client = _client(app)
    with time_machine.travel(datetime(2027, 1, 4, 9, tzinfo=UTC), tick=False) as clock:
        form = client.page("/brochure").form("/brochure")
        clock.shift(timedelta(seconds=2))

        client.follow(client.send(form, **BROCHURE))


def test_correcting_a_mistake_quickly_is_not_suspicious(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_MIN_FILL_SECONDS="2")
    client = _client(app)
    with time_machine.travel(datetime(2027, 1, 4, 9, tzinfo=UTC), tick=False):
        wrong = client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"email": ""})

        client.follow(client.send(wrong.form("/brochure"), email="zoe@exemple.fr"))


def test_honeypot_quarantines_without_saying_so(client: CheckedClient, app: Flask) -> None:
    slot = add_slot(app, capacity=5)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")

    thanks = client.follow(client.send(form, **BROCHURE, slot=slot, topic="Buy now", email_consent="y"))

    assert export(app) == []
    row = only(export(app, "--include-quarantined"))
    assert (row["status"], row["first_name"]) == ("quarantined", "Zoé")
    assert row["reference"] in thanks.text
    assert "0 / 5 places prises" in app.test_cli_runner().invoke(args=["open-days", "list"]).output


def test_release_runs_what_was_held_back(client: CheckedClient, app: Flask) -> None:
    slot = add_slot(app, capacity=5)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    client.send(form, **BROCHURE, slot=slot, companions="1", topic="Buy now", phone="0612345678", phone_consent="y")
    reference = only(export(app, "--include-quarantined"))["reference"]

    released = app.test_cli_runner().invoke(args=["leads", "release", reference.lower()])

    assert released.exit_code == 0, released.output
    row = only(export(app))
    assert (row["status"], row["phone_consent"]) == ("released", "true")
    assert "2 / 5 places prises" in app.test_cli_runner().invoke(args=["open-days", "list"]).output
    again = app.test_cli_runner().invoke(args=["leads", "release", reference, "BRO-222222"])
    assert again.exit_code == 1
    assert "pas en quarantaine" in again.stderr
    assert "BRO-222222 : référence inconnue" in again.stderr


@pytest.mark.parametrize("chosen", ["", "-attente"])
def test_release_into_a_full_slot_puts_the_person_on_its_waiting_list(
    client: CheckedClient, app: Flask, chosen: str
) -> None:
    slot = add_slot(app, capacity=1)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    client.send(form, **BROCHURE, slot=f"{slot}{chosen}", topic="Buy now")
    client.follow(client.send(form, **BROCHURE | {"email": "autre@exemple.fr"}, slot=slot))

    released = _release_held(app)

    assert released.exit_code == 0
    assert "quarantaine levée ; le créneau choisi est complet : la personne est sur sa liste" in released.output
    assert [row["status"] for row in export(app)] == ["released", "received"]
    listed = app.test_cli_runner().invoke(args=["open-days", "list"]).output
    assert "1 / 1 places prises" in listed
    assert "À prévenir d’une nouvelle date : 0" in listed


def test_release_into_a_slot_that_is_over_promises_a_word(client: CheckedClient, app: Flask) -> None:
    with time_machine.travel(datetime(2099, 3, 7, 8, 59, tzinfo=UTC), tick=False) as clock:
        slot = add_slot(app, capacity=5)
        form = client.page("/portes-ouvertes").form("/portes-ouvertes")
        client.send(form, **BROCHURE, slot=slot, topic="Buy now")
        clock.move_to(datetime(2099, 3, 7, 9, tzinfo=UTC))

        released = _release_held(app)

    assert "n’est plus proposé, ou trop petit pour le groupe : la personne sera prévenue" in released.output
    assert "À prévenir d’une nouvelle date : 1" in app.test_cli_runner().invoke(args=["open-days", "list"]).output


def _release_held(app: Flask) -> Result:
    held = next(row for row in export(app, "--include-quarantined") if row["status"] == "quarantined")
    return app.test_cli_runner().invoke(args=["leads", "release", held["reference"]])


def test_person_whose_browser_filled_the_honeypot_is_heard_on_sending_again(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")
    client.send(form, **BROCHURE, topic="Zoé Lefèvre")

    client.follow(client.send(form, **BROCHURE))

    assert only(export(app))["status"] == "received"
