"""Seats: never more than there are, and an answer that says nothing about who is registered."""

from datetime import UTC, datetime

import time_machine
from flask import Flask
from sqlalchemy import func, select

from microsite.db import db
from microsite.leads.models import Lead
from microsite.open_days.models import Alert, Registration

from ..answers import BROCHURE, TELL_ME, count_alerts, count_taken, export, plan_slot
from ..page import CheckedClient, Page


def _send(client: CheckedClient, **answers: str | None) -> Page:
    return client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE | answers)


def test_registering_again_takes_no_second_seat_and_looks_the_same(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=5)
    first = client.follow(_send(client, slot=slot))

    again = client.follow(_send(client, slot=slot, companions="3", first_name="Quelqu’un"))

    first_reference, again_reference = (page.one(".reference").text() for page in (first, again))
    assert first.text.replace(first_reference, "") == again.text.replace(again_reference, "")
    assert count_taken(app, slot) == 1
    assert [row["companions"] for row in export(app)] == ["0", "3"]


def test_slot_that_has_begun_is_neither_shown_nor_taken(client: CheckedClient, app: Flask) -> None:
    with time_machine.travel(datetime(2099, 3, 7, 8, 59, tzinfo=UTC), tick=False) as clock:
        slot = plan_slot(app, capacity=5)
        form = client.page("/portes-ouvertes").form("/portes-ouvertes")
        clock.move_to(datetime(2099, 3, 7, 9, 0, tzinfo=UTC))

        late = client.send(form, **BROCHURE, slot=slot)

        assert late.status == 422
        assert "Ce créneau n’est plus proposé." in late.errors()["slot"]
        assert [node.attributes["value"] for node in late.tree.css("[type=radio]")] == ["prevenez-moi"]


def test_without_any_date_the_form_says_so_and_takes_an_address(client: CheckedClient, app: Flask) -> None:
    page = client.page("/portes-ouvertes")

    assert "Aucune date n’est fixée pour l’instant." in page.text
    assert page.one("form button").text() == "Prévenez-moi"
    thanks = client.follow(client.send(page.form("/portes-ouvertes"), **BROCHURE))
    assert "nous vous préviendrons" in thanks.text
    assert count_alerts(app) == 1


def test_alerts_count_people_not_sendings(client: CheckedClient, app: Flask) -> None:
    client.follow(_send(client, **TELL_ME))
    client.follow(_send(client, **TELL_ME))

    with app.app_context():
        assert db.session.execute(select(func.count(Alert.id))).scalar_one() == 2
        assert db.session.execute(select(func.count(Registration.id))).scalar_one() == 0
    assert count_alerts(app) == 1


def test_reload_after_the_slot_has_begun_still_thanks(client: CheckedClient, app: Flask) -> None:
    with time_machine.travel(datetime(2099, 3, 7, 8, 59, tzinfo=UTC), tick=False) as clock:
        slot = plan_slot(app, capacity=5)
        form = client.page("/portes-ouvertes").form("/portes-ouvertes")
        first = client.follow(client.send(form, **BROCHURE, slot=slot))
        clock.move_to(datetime(2099, 3, 7, 9, 1, tzinfo=UTC))

        again = client.follow(client.send(form, **BROCHURE, slot=slot))

    assert first.text == again.text
    assert len(export(app)) == 1


def test_other_number_of_companions_marks_the_lead_for_review(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=9)
    client.follow(_send(client, slot=slot))
    client.follow(_send(client, slot=slot, access_needs="Un ascenseur"))
    with app.app_context():
        assert not db.session.scalars(select(Lead)).one().needs_review

    client.follow(_send(client, slot=slot, companions="3"))

    with app.app_context():
        assert db.session.scalars(select(Lead)).one().needs_review
