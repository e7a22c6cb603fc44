"""The personal page: each button acts once, says so again, touches nobody else's things, and tells strangers nothing."""

import logging
import random
import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.campaigns.attribution import Attribution
from microsite.db import db, writing
from microsite.leads.models import FormName, Lead, Submission
from microsite.leads.services import Person, Sending, capture
from microsite.open_days.models import Slot
from microsite.open_days.planning import cancel_slot
from microsite.open_days.queries import seats_taken
from microsite.outbox.transports import MemoryTransport
from microsite.privacy.personal_page import SENT_SHOWN
from microsite.web.context import utc_now

from ..answers import TELL_ME, only, plan_slot
from ..page import CheckedClient, Page
from .owners import MAX, ZOE, ask_brochure, register, rows, space_of, state_of


def _press(client: CheckedClient, path: str, **answers: str) -> str:
    """Press a button whether it is shown or not; the key of what is said then."""
    answer = client.post(path, data=answers)
    assert answer.status_code == 303, answer.status_code
    assert "no-store" in answer.headers["Cache-Control"]
    assert client.get(answer.headers["Location"]).status_code == 200
    return parse_qs(urlsplit(answer.headers["Location"]).query)["fait"][0]


def _buttons(page: Page) -> list[str]:
    return [button.text() for button in page.tree.css("main button")]


def test_page_shows_what_is_kept_and_what_can_be_done(client: CheckedClient, app: Flask) -> None:
    reference = register(app, plan_slot(app, capacity=5), companions=2)
    ask_brochure(client, phone="06 12 34 56 78", phone_consent="y")

    page = client.page(space_of(app))

    assert page.response.headers["Cache-Control"] == "no-store"
    assert page.response.headers["X-Robots-Tag"] == "noindex"
    assert page.response.headers["Referrer-Policy"] == "same-origin"
    for words in (
        ZOE,
        "Vos 3 places sont réservées",
        "samedi 7 mars 2099, de 10 h à 12 h",
        reference,
        "Brochure, ",
        "Vous n’avez rien accepté ici.",
        "J’ai 15 ans ou plus et j’accepte que l’ÉSEC me contacte par téléphone",
    ):
        assert words in page.text
    assert page.one("svg[role=img]").attributes["aria-label"] == f"QR code de l’inscription {reference}"
    assert _buttons(page) == [
        "Changer",
        "Annuler mon inscription",
        "J’accepte",
        "Retirer mon accord",
        "Demander une copie",
    ]
    copy = next(link for link in page.links() if "/exemplaire/" in link)
    assert client.page(copy).one("h1").text() == "Votre brochure"


def test_cancelled_once_stays_cancelled(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    reference, next_one = register(app, slot), register(app, slot, email=MAX)
    space = space_of(app)

    assert _press(client, f"{space}/inscriptions/{reference}/annulation") == "annulation"
    assert (state_of(app, reference), state_of(app, next_one)) == ("cancelled", "offered")

    before = rows(app)
    assert _press(client, f"{space}/inscriptions/{reference}/annulation") == "deja"
    assert rows(app) == before
    assert "Inscription annulée" in client.page(space).text


def test_companions_are_changed_as_far_as_seats_go(client: CheckedClient, app: Flask) -> None:
    reference = register(app, plan_slot(app, capacity=3))
    space = space_of(app)
    path = f"{space}/inscriptions/{reference}/accompagnants"

    assert _press(client, path, companions="2") == "accompagnants"
    before = rows(app)
    assert _press(client, path, companions="2") == "deja"
    assert _press(client, path, companions="3") == "complet"
    assert client.post(path, data={"companions": "4"}).status_code == 400
    assert client.post(path, data={"companions": "beaucoup"}).status_code == 400
    assert rows(app) == before

    page = client.page(f"{space}?fait=complet")
    assert page.summary().startswith("Il ne reste pas assez de places")
    assert page.form(path).values["companions"] == "2"


def test_waiting_list_is_left_by_one_button(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    register(app, slot, email=MAX)
    reference = register(app, slot)
    space = space_of(app)
    assert "Sur la liste d’attente" in client.page(space).text

    assert _press(client, f"{space}/inscriptions/{reference}/annulation") == "liste"

    assert state_of(app, reference) == "cancelled"
    assert _press(client, f"{space}/inscriptions/{reference}/annulation") == "deja"


def _offer(client: CheckedClient, app: Flask) -> str:
    """Zoé waits for Max's seat, who gives it back; the reference of hers."""
    slot = plan_slot(app, capacity=1)
    first, reference = register(app, slot, email=MAX), register(app, slot)
    client.post(f"{space_of(app, MAX)}/inscriptions/{first}/annulation")
    assert state_of(app, reference) == "offered"
    return reference


def test_offer_is_accepted_once(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    reference = _offer(client, app)
    space = space_of(app)
    page = client.page(space)
    assert "Une place vous attend" in page.text
    assert "J’accepte l’offre" in _buttons(page)

    assert _press(client, f"{space}/inscriptions/{reference}/acceptation") == "acceptation"

    assert state_of(app, reference) == "confirmed"
    before = rows(app)
    assert _press(client, f"{space}/inscriptions/{reference}/acceptation") == "deja"
    assert rows(app) == before


def test_declined_offer_passes_on(client: CheckedClient, app: Flask) -> None:
    reference = _offer(client, app)

    assert _press(client, f"{space_of(app)}/inscriptions/{reference}/annulation") == "refus"

    assert state_of(app, reference) == "cancelled"


def test_offer_that_has_ended_is_refused_and_shown_so(client: CheckedClient, app: Flask) -> None:
    reference = _offer(client, app)
    space = space_of(app)

    # It holds for 24 hours, and until nine in the morning where that would be at night.
    with time_machine.travel(utc_now() + timedelta(hours=36)):
        page = client.page(space)
        before = rows(app)
        assert "L’offre est terminée" in page.text
        assert "J’accepte l’offre" not in _buttons(page)
        assert _press(client, f"{space}/inscriptions/{reference}/acceptation") == "offre-passee"
        assert rows(app) == before


def test_slot_that_has_begun_is_not_changed_any_more(client: CheckedClient, app: Flask) -> None:
    day = (utc_now() + timedelta(days=10)).date().isoformat()
    reference = register(app, plan_slot(app, capacity=5, day=day))
    space = space_of(app)
    with app.app_context():
        starts_at = db.session.scalars(select(Slot.starts_at)).one()

    with time_machine.travel(starts_at + timedelta(minutes=5)):
        page = client.page(space)
        # At the door, the code is still wanted.
        assert page.by_id(f"billet-{reference}") is not None
        assert page.tree.css("svg[role=img]") != []
        assert "Annuler mon inscription" not in _buttons(page)
        for action in ("annulation", "accompagnants", "acceptation"):
            assert _press(client, f"{space}/inscriptions/{reference}/{action}", companions="1") == "commence"
    with time_machine.travel(starts_at + timedelta(days=1)):
        assert "C’est passé" in client.page(space).text
    assert state_of(app, reference) == "confirmed"


def test_slot_cancelled_by_the_school_says_so(client: CheckedClient, app: Flask) -> None:
    reference = register(app, plan_slot(app, capacity=5))
    with app.app_context():
        cancel_slot(db.session(), db.session.scalars(select(Slot)).one(), now=utc_now())
        db.session.commit()
    space = space_of(app)

    assert "Annulée par l’école" in client.page(space).text
    for action in ("annulation", "accompagnants", "acceptation"):
        path = f"{space}/inscriptions/{reference}/{action}"
        assert _press(client, path, companions="1") == "annulee-par-l-ecole"


def test_online_link_is_for_who_has_a_seat(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=1)
    with app.app_context():
        day = db.session.scalars(select(Slot)).one().open_day
        day.place, day.online_url = "Salle secrète", "https://visio.example/secret"
        db.session.commit()
    register(app, slot)
    register(app, slot, email=MAX)

    seated, waiting = client.page(space_of(app)), client.page(space_of(app, MAX))

    assert "https://visio.example/secret" in seated.links()
    assert seated.tree.css("svg[role=img]") == []
    # What staff call it by is theirs.
    assert ("En ligne" in seated.text, "Salle" in seated.text) == (True, False)
    assert "secr" not in waiting.html


def test_alert_is_taken_back_once(client: CheckedClient, app: Flask) -> None:
    client.follow(client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **TELL_ME))
    space = space_of(app)
    assert "Ne plus me prévenir" in _buttons(client.page(space))

    assert _press(client, f"{space}/alertes/arret") == "alertes"

    before = rows(app)
    assert before["open_day_alerts"] == []
    assert _press(client, f"{space}/alertes/arret") == "deja"
    assert rows(app) == before
    assert "Ne plus me prévenir" not in _buttons(client.page(space))


def test_each_change_is_a_contact_and_a_repeat_is_none(client: CheckedClient, app: Flask) -> None:
    reference = register(app, plan_slot(app, capacity=5))
    path = f"{space_of(app)}/inscriptions/{reference}/accompagnants"

    contacts = []
    for days in (1, 2):
        with time_machine.travel(utc_now() + timedelta(days=days)):
            _press(client, path, companions="1")
        with app.app_context():
            contacts.append(db.session.scalars(select(Lead.last_contact_at)).one())

    assert contacts[0] == contacts[1] > utc_now()


@pytest.mark.parametrize("action", ["annulation", "accompagnants", "acceptation"])
def test_other_peoples_registrations_do_not_exist_here(client: CheckedClient, app: Flask, action: str) -> None:
    slot = plan_slot(app, capacity=5)
    register(app, slot)
    theirs = register(app, slot, email=MAX)
    before = rows(app)

    answer = client.post(f"{space_of(app)}/inscriptions/{theirs}/{action}", data={"companions": "1"})
    unknown = client.post(f"{space_of(app)}/inscriptions/JPO-222222/{action}", data={"companions": "1"})

    assert (answer.status_code, unknown.status_code) == (404, 404)
    assert answer.data == unknown.data
    assert rows(app) == before


def test_page_of_one_shows_nothing_of_another(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=5)
    ask_brochure(client, email_consent="y")
    register(app, slot)
    reference = register(app, slot, email=MAX)

    page = client.page(space_of(app, MAX))

    assert only(page.tree.css(".space__list li")).text().count(reference) == 1
    assert ZOE not in page.html
    assert "Retirer mon accord" not in _buttons(page)


def test_buttons_touch_the_lead_of_their_link_alone(client: CheckedClient, app: Flask) -> None:
    """What names no object is the link's own lead's."""
    slot = plan_slot(app, capacity=5)
    for email in (ZOE, MAX):
        ask_brochure(client, email=email, email_consent="y", phone="0612345678", phone_consent="y")
        client.follow(
            client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **TELL_ME | {"email": email})
        )
        register(app, slot, email=email)
    with app.app_context():
        other = db.session.scalars(select(Lead.id).where(Lead.email == MAX)).one()

    def theirs() -> list[object]:
        kept = rows(app)
        tables = ("consents", "open_day_alerts", "registrations", "submissions", "privacy_requests")
        return [row for table in tables for row in kept[table] if row.lead_id == other] + [
            row for row in kept["leads"] if row.id == other
        ]

    before = theirs()
    for action in ("alertes/arret", "donnees/copie", "accords/phone/retrait", "accords/email/retrait"):
        _press(client, f"{space_of(app)}/{action}")
    _press(client, f"{space_of(app)}/donnees/effacement")

    assert theirs() == before


def test_address_of_a_button_opened_like_a_page_leads_back(client: CheckedClient, app: Flask) -> None:
    reference = register(app, plan_slot(app, capacity=5))
    space = space_of(app)

    for path in (f"inscriptions/{reference}/annulation", "alertes/arret", "accords/email/don", "rien"):
        answer = client.get(f"{space}/{path}")
        assert (answer.status_code, answer.headers["Location"]) == (303, space)
        assert answer.headers["Referrer-Policy"] == "same-origin"


def test_link_lives_ninety_days_and_then_leads_to_a_new_one(client: CheckedClient, app: Flask) -> None:
    reference = register(app, plan_slot(app, capacity=5))
    space = space_of(app)
    button = f"{space}/inscriptions/{reference}/annulation"

    with time_machine.travel(utc_now() + timedelta(days=90, minutes=-1)):
        assert client.page(space).status == 200
    with time_machine.travel(utc_now() + timedelta(days=90, minutes=1)):
        for page in (client.page(space), Page(client.post(button)), client.page(f"{space}/donnees/effacement")):
            assert page.status == 410
            assert page.one("h1").text() == "Ce lien ne fonctionne plus"
            assert page.one("main .button").attributes["href"] == "/mon-espace"
            assert ZOE not in page.html
    assert state_of(app, reference) == "confirmed"


def test_forged_link_opens_nothing(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    space = space_of(app)

    for path in (f"{space[:-1]}", "/mon-espace/x", space.replace("/mon-espace", "/brochure/exemplaire")):
        assert client.page(path).status == 404
    assert client.post(f"{space[:-1]}/donnees/copie").status_code == 404


def test_log_holds_the_route_alone(client: CheckedClient, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    reference = register(app, plan_slot(app, capacity=5))
    space = space_of(app)

    with caplog.at_level(logging.INFO):
        client.get(f"{space}?fait=deja")
        client.post(f"{space}/inscriptions/{reference}/annulation")
        client.get(f"{space}/accords/email/don")
        client.post(f"{space}x/donnees/copie")

    lines = [record.getMessage() for record in caplog.records if record.name == "microsite.access"]
    assert [line.rsplit(" ", 1)[0] for line in lines] == [
        "GET /mon-espace/<token> 200",
        "POST /mon-espace/<token>/inscriptions/<reference>/annulation 303",
        "GET /mon-espace/<token>/<path:rest> 303",
        "POST /mon-espace/<token>/donnees/copie 404",
    ]
    assert not any(secret in caplog.text for secret in (space.rpartition("/")[2], reference, ZOE))


def test_links_of_the_page_carry_no_token_to_the_forms(client: CheckedClient, app: Flask) -> None:
    register(app, plan_slot(app, capacity=5))
    space = space_of(app)

    for path in (space, f"{space}/donnees/effacement"):
        forms = [link for link in client.page(path).links() if link.startswith(("/brochure?", "/portes-ouvertes?"))]
        assert forms != []
        assert {parse_qs(urlsplit(link).query)["landing_path"][0] for link in forms} == {"/mon-espace"}


def test_state_that_no_button_gives_is_not_shown(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)

    page = client.page(f"{space_of(app)}?fait=<b>gagné</b>")

    assert page.tree.css(".summary") == []
    assert "gagné" not in page.text


def test_buttons_pressed_at_once_seat_nobody_too_many(app: Flask) -> None:
    """Each press locks its lead, then the slot, and offers what it frees to others: no two wait for each other."""
    slot = plan_slot(app, capacity=4)
    people = [f"p{number}@exemple.fr" for number in range(6)]
    references = {email: register(app, slot, email=email, companions=number % 3) for number, email in enumerate(people)}
    spaces = {email: space_of(app, email) for email in people}
    statuses: list[int] = []

    def press_at_random(email: str) -> None:
        chance = random.Random(email)  # noqa: S311  # no secret
        for _ in range(8):
            action = chance.choice(["acceptation", "accompagnants", "accompagnants", "annulation"])
            path = f"{spaces[email]}/inscriptions/{references[email]}/{action}"
            answer = app.test_client().post(path, data={"companions": str(chance.randrange(4))})
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=press_at_random, args=(email,)) for email in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(statuses) == {303}
    assert len(statuses) == 48
    with app.app_context():
        assert seats_taken(db.session(), int(slot)) <= 4


def test_page_shows_the_newest_requests_and_says_that_there_are_more(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    with app.app_context(), writing():
        first = db.session.scalars(select(Submission)).one()
        for number in range(SENT_SHOWN):
            sending = Sending(
                form=FormName.BROCHURE,
                nonce=f"{number:032}",
                person=Person(first_name="Zoé", last_name="Lefèvre", email=first.email, phone=None),
                programme=None,
                level=None,
                answers={},
                agreed=(),
                attribution=Attribution(),
            )
            capture(db.session(), sending, now=utc_now())
        oldest = first.reference

    page = client.page(space_of(app))

    assert len(page.tree.css(".space__list .reference")) == SENT_SHOWN
    assert oldest not in page.text
    assert "Les plus anciennes ne sont pas montrées ici." in page.text
