"""A full slot: its waiting list, what a party that doesn’t fit is offered, and the same answer for everyone."""

import pytest
from flask import Flask
from sqlalchemy import select

from microsite.db import db
from microsite.open_days.models import Registration, RegistrationState

from ..answers import BROCHURE, export, plan_slot
from ..page import CheckedClient, Page

_Standing = tuple[str, RegistrationState, int]


def _send(client: CheckedClient, *, path: str = "/portes-ouvertes", **answers: str | None) -> Page:
    return client.send(client.page(path).form(path), **BROCHURE | answers)


def _fill(client: CheckedClient, slot: str, *parties: int) -> None:
    """Take seats, a person a party."""
    for number, party in enumerate(parties):
        client.follow(_send(client, email=f"place{number}@exemple.fr", slot=slot, companions=str(party - 1)))


def _stands(app: Flask) -> list[_Standing]:
    """Who has what, in the order of the line."""
    with app.app_context():
        rows = db.session.scalars(select(Registration).order_by(Registration.id))
        return [(row.submission.email, row.state, row.seats) for row in rows]


def _radios(page: Page) -> dict[str, bool]:
    """The values that can be chosen → which one is."""
    radios = page.tree.css("[type=radio]:not([disabled])")
    return {str(node.attributes["value"]): "checked" in node.attributes for node in radios}


def test_full_slot_offers_its_waiting_list(client: CheckedClient, app: Flask) -> None:
    full, other = plan_slot(app, capacity=1), plan_slot(app, capacity=9, hour=14)
    _fill(client, full, 1)

    page = client.page("/portes-ouvertes")

    assert _radios(page) == {f"{full}-attente": False, other: False, "prevenez-moi": False}
    assert "Complet : inscrivez-vous sur la liste d’attente." in page.text
    assert page.one("form button").text() == "M’inscrire"


def test_who_chooses_the_waiting_list_stands_on_it(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=2)
    _fill(client, slot, 2)

    client.follow(_send(client, slot=f"{slot}-attente", companions="1"))

    assert _stands(app)[1:] == [("zoe@exemple.fr", RegistrationState.WAITING, 2)]


def test_waiting_list_of_a_slot_that_has_room_again_gives_a_seat_at_once(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=2)

    client.follow(_send(client, slot=f"{slot}-attente"))

    assert _stands(app) == [("zoe@exemple.fr", RegistrationState.CONFIRMED, 1)]


@pytest.mark.parametrize("path", ["/portes-ouvertes", "/embed/portes-ouvertes"])
def test_slot_that_filled_up_meanwhile_needs_one_more_press_to_wait(
    client: CheckedClient, app: Flask, path: str
) -> None:
    slot = plan_slot(app, capacity=1)
    form = client.page(path).form(path)
    _fill(client, slot, 1)

    late = client.send(form, **BROCHURE, slot=slot, access_needs="Un ascenseur", phone_consent="y")

    assert late.status == 422
    assert "Ce créneau s’est rempli entre-temps. Renvoyez le formulaire pour vous inscrire sur sa" in late.summary()
    assert _radios(late) == {f"{slot}-attente": True, "prevenez-moi": False}
    again = late.form(path)
    kept = {"email": "zoe@exemple.fr", "access_needs": "Un ascenseur", "phone_consent": "y"}
    assert again.values | kept == again.values
    assert len(export(app)) == 1
    client.follow(client.send(again))
    assert _stands(app)[1:] == [("zoe@exemple.fr", RegistrationState.WAITING, 1)]


def test_slot_that_filled_up_meanwhile_leaves_the_way_to_be_told(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    _fill(client, slot, 1)

    late = client.send(form, **BROCHURE, slot=slot)
    client.follow(client.send(late.form("/portes-ouvertes"), slot="prevenez-moi"))

    assert [row["slot"] for row in export(app)][1] == "alert"


@pytest.mark.parametrize("path", ["/portes-ouvertes", "/embed/portes-ouvertes"])
def test_party_larger_than_what_is_left_may_come_with_fewer_or_wait(
    client: CheckedClient, app: Flask, path: str
) -> None:
    slot = plan_slot(app, capacity=4)
    _fill(client, slot, 3)

    refused = _send(client, path=path, slot=slot, companions="2")

    assert refused.status == 422
    assert (
        "Il ne reste qu’une place sur ce créneau, et vous seriez 3. "
        "Venez moins nombreux, choisissez sa liste d’attente, ou un autre créneau."
    ) in refused.summary()
    assert _radios(refused) == {slot: True, f"{slot}-attente": False, "prevenez-moi": False}
    assert "Pour venir à 3" in refused.text
    assert refused.form(path).values["companions"] == "2"
    client.follow(client.send(refused.form(path), slot=f"{slot}-attente"))
    client.follow(_send(client, email="autre@exemple.fr", slot=slot))
    assert [state for _, state, _ in _stands(app)] == [
        RegistrationState.CONFIRMED,
        RegistrationState.WAITING,
        RegistrationState.CONFIRMED,
    ]


def test_waiting_list_that_was_chosen_stays_so_while_another_answer_is_corrected(
    client: CheckedClient, app: Flask
) -> None:
    slot = plan_slot(app, capacity=4)
    _fill(client, slot, 3)
    refused = _send(client, slot=slot, companions="2")

    wrong = client.send(refused.form("/portes-ouvertes"), slot=f"{slot}-attente", email="zoe")

    assert _radios(wrong)[f"{slot}-attente"]


@pytest.mark.parametrize(
    ("taken", "chosen", "said"),
    [
        ((), "", "Il ne reste que 2 places sur ce créneau, et vous seriez 3. La liste d’attente n’y changerait rien"),
        ((1,), "", "Il ne reste qu’une place sur ce créneau, et vous seriez 3. La liste d’attente n’y changerait"),
        ((1,), "-attente", "Il ne reste qu’une place sur ce créneau, et vous seriez 3. La liste d’attente n’y"),
        ((2,), "-attente", "Ce créneau est complet, et vous attendriez en vain : il n’a que 2 places en tout."),
    ],
)
def test_party_larger_than_the_slot_cannot_wait_for_it(
    client: CheckedClient, app: Flask, taken: tuple[int, ...], chosen: str, said: str
) -> None:
    slot = plan_slot(app, capacity=2)
    _fill(client, slot, *taken)

    refused = _send(client, slot=f"{slot}{chosen}", companions="2")

    assert refused.status == 422
    assert said in refused.summary()
    assert "Venez moins nombreux, ou choisissez un autre créneau." in refused.summary()
    assert len(_radios(refused)) == 2
    assert len(_stands(app)) == len(taken)


def test_sold_out_form_speaks_of_the_waiting_lists_and_leaves_the_choice(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    _fill(client, slot, 1)

    page = client.page("/")

    assert "Il n’y a plus de place libre pour l’instant. Inscrivez-vous sur la liste d’attente" in page.text
    assert page.one('form[action="/portes-ouvertes"] button').text() == "Envoyer ma demande"
    assert _radios(page) == {f"{slot}-attente": False, "prevenez-moi": False}
    client.follow(client.send(page.form("/portes-ouvertes"), **BROCHURE, slot=f"{slot}-attente"))


# Rule 3: the known person comes first, which changes no seat, so that both meet the same slot of four.
@pytest.mark.parametrize("has_a_seat", [True, False], ids=["who has a seat", "who waits"])
@pytest.mark.parametrize(
    ("left", "chosen", "companions", "status"),
    [
        pytest.param(2, "", "0", 303, id="room"),
        pytest.param(2, "-attente", "0", 303, id="room, list chosen"),
        pytest.param(0, "", "0", 422, id="full"),
        pytest.param(0, "-attente", "0", 303, id="full, list chosen"),
        pytest.param(1, "", "2", 422, id="not for that many"),
        pytest.param(1, "-attente", "2", 303, id="not for that many, list chosen"),
    ],
)
def test_known_person_and_stranger_get_the_same_answer(
    client: CheckedClient, app: Flask, left: int, chosen: str, companions: str, status: int, has_a_seat: bool
) -> None:
    slot = plan_slot(app, capacity=4)
    if has_a_seat:
        client.follow(_send(client, slot=slot))
        _fill(client, slot, *[1] * (3 - left))
    else:
        _fill(client, slot, *[1] * (4 - left))
        client.follow(_send(client, slot=f"{slot}-attente", companions="3"))
    asked = {"slot": f"{slot}{chosen}", "companions": companions}

    known = _send(client, first_name="Quelqu’un", **asked)
    stranger = _send(client, first_name="Quelqu’un", email="autre@exemple.fr", **asked)

    assert (known.status, stranger.status) == (status, status)
    assert _without_what_differs(client, known) == _without_what_differs(client, stranger)


@pytest.mark.parametrize("chosen", ["", "-attente"])
def test_party_too_large_for_the_slot_is_answered_alike_whoever_asks(
    client: CheckedClient, app: Flask, chosen: str
) -> None:
    slot = plan_slot(app, capacity=2)
    client.follow(_send(client, slot=slot))
    asked = {"slot": f"{slot}{chosen}", "companions": "3"}

    known, stranger = _send(client, **asked), _send(client, email="autre@exemple.fr", **asked)

    assert known.status == stranger.status == 422
    assert _without_what_differs(client, known) == _without_what_differs(client, stranger)


def _without_what_differs(client: CheckedClient, answer: Page) -> str:
    """The whole page that the visitor ends on, without reference, token and what was typed."""
    page = client.follow(answer) if answer.status == 303 else answer
    reference = page.tree.css_first(".reference")
    html = page.html.replace(reference.text() if reference else "autre@exemple.fr", "…")
    for node in page.tree.css("[name=form_token]"):
        html = html.replace(str(node.attributes["value"]), "…")
    return html.replace("zoe@exemple.fr", "…")
