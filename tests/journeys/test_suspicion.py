"""Suspicion never costs a person their place."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from ..answers import BROCHURE, count_alerts, count_taken, export, only, plan_slot, release
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
    slot = plan_slot(app, capacity=5)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")

    thanks = client.follow(client.send(form, **BROCHURE, slot=slot, topic="Buy now", email_consent="y"))

    assert export(app) == []
    row = only(export(app, "--include-quarantined"))
    assert (row["status"], row["first_name"]) == ("quarantined", "Zoé")
    assert row["reference"] in thanks.text
    assert count_taken(app, slot) == 0


def test_release_runs_what_was_held_back(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=5)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    client.send(form, **BROCHURE, slot=slot, companions="1", topic="Buy now", phone="0612345678", phone_consent="y")
    reference = only(export(app, "--include-quarantined"))["reference"]

    released = release(app, reference)

    assert released
    row = only(export(app))
    assert (row["status"], row["phone_consent"]) == ("released", "true")
    assert count_taken(app, slot) == 2
    assert not release(app, reference)


@pytest.mark.parametrize("chosen", ["", "-attente"])
def test_release_into_a_full_slot_puts_the_person_on_its_waiting_list(
    client: CheckedClient, app: Flask, chosen: str
) -> None:
    slot = plan_slot(app, capacity=1)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    client.send(form, **BROCHURE, slot=f"{slot}{chosen}", topic="Buy now")
    client.follow(client.send(form, **BROCHURE | {"email": "autre@exemple.fr"}, slot=slot))

    _release_held(app)

    assert [(row["status"], row["registration"]) for row in export(app)] == [
        ("released", "waiting"),
        ("received", "confirmed"),
    ]
    assert (count_taken(app, slot), count_alerts(app)) == (1, 0)


def test_release_into_a_slot_that_is_over_promises_a_word(client: CheckedClient, app: Flask) -> None:
    with time_machine.travel(datetime(2099, 3, 7, 8, 59, tzinfo=UTC), tick=False) as clock:
        slot = plan_slot(app, capacity=5)
        form = client.page("/portes-ouvertes").form("/portes-ouvertes")
        client.send(form, **BROCHURE, slot=slot, topic="Buy now")
        clock.move_to(datetime(2099, 3, 7, 9, tzinfo=UTC))

        _release_held(app)

    assert (count_taken(app, slot), count_alerts(app)) == (0, 1)


def _release_held(app: Flask) -> None:
    held = next(row for row in export(app, "--include-quarantined") if row["status"] == "quarantined")
    assert release(app, held["reference"])


def test_person_whose_browser_filled_the_honeypot_is_heard_on_sending_again(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")
    client.send(form, **BROCHURE, topic="Zoé Lefèvre")

    client.follow(client.send(form, **BROCHURE))

    assert only(export(app))["status"] == "received"
