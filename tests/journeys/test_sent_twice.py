"""Sent twice is kept once; other answers under the same token are another submission."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from ..answers import APPLICATION, BROCHURE, TELL_ME, export, only, plan_slot
from ..page import CheckedClient, Form


def test_double_click_and_reload_give_one_submission_and_the_same_page(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")

    pages = [client.follow(client.send(form, **BROCHURE)) for _ in range(3)]

    row = only(export(app))
    assert all(row["reference"] in page.text for page in pages)


def test_same_answers_written_otherwise_are_the_same(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")

    client.send(form, **BROCHURE, phone="06 12 34 56 78")
    client.send(form, **BROCHURE | {"first_name": "  Zoé "}, phone="+33612345678")

    only(export(app))


def test_back_button_with_other_answers_gives_two(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")

    client.send(form, **BROCHURE)
    client.send(form, **BROCHURE | {"first_name": "Zoë-Marie"})

    assert [row["first_name"] for row in export(app)] == ["Zoé", "Zoë-Marie"]


def test_reload_after_the_slot_filled_up_still_thanks(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")

    client.follow(client.send(form, **BROCHURE, slot=slot))

    client.follow(client.send(form, **BROCHURE, slot=slot))
    only(export(app))


@pytest.mark.parametrize(
    ("path", "answers"), [("/brochure", BROCHURE), ("/portes-ouvertes", TELL_ME), ("/candidater", APPLICATION)]
)
@pytest.mark.parametrize("damage", ["expired", "forged", "missing", "of another form"])
def test_bad_token_shows_the_form_again_with_every_answer(
    client: CheckedClient, app: Flask, path: str, answers: dict[str, str], damage: str
) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        form = _damaged(client, client.page(path).form(path), damage)
        answers = answers | {"phone": "06 12 34 56 78", "email_consent": "y", "programme": "scenario"}
        if damage == "expired":
            clock.shift(timedelta(hours=24, seconds=2))

        again = client.send(form, **answers)

        assert again.status == 422
        assert "Vos réponses sont toujours là" in again.summary()
        assert export(app) == []
        kept = again.form(path)
        for name, value in answers.items():
            assert kept.values[name].replace("\r\n", "\n") == value.strip(), name
        client.follow(client.send(kept))
    only(export(app))


def _damaged(client: CheckedClient, form: Form, damage: str) -> Form:
    values = dict(form.values)
    if damage == "missing":
        del values["form_token"]
    elif damage == "forged":
        values["form_token"] = values["form_token"][:-4] + "AAAA"
    elif damage == "of another form":
        other = "/candidater" if form.action == "/brochure" else "/brochure"
        values["form_token"] = client.page(other).form(other).values["form_token"]
    return Form(action=form.action, values=values)
