"""Consents on the personal page: given word for word and confirmed, withdrawn with every link mailed before."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import time_machine
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import select

from microsite.content_files import SHIPPED
from microsite.db import db
from microsite.leads.models import Consent, ConsentOrigin
from microsite.outbox.transports import MemoryTransport
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import export, only
from ..conftest import Environ
from ..page import CheckedClient
from .owners import ask_brochure, rows, space_of


def _give(client: CheckedClient, space: str, channel: str = "email") -> str:
    """As the page shows the button; where it leads."""
    form = client.page(space).form(f"{space}/accords/{channel}/don")
    return client.send(form).response.headers["Location"]


def _withdraw(client: CheckedClient, space: str, channel: str = "email") -> str:
    return client.post(f"{space}/accords/{channel}/retrait").headers["Location"]


def _consents(app: Flask) -> list[Consent]:
    with app.app_context():
        return list(db.session.scalars(select(Consent).order_by(Consent.id)))


def test_consent_given_here_is_kept_word_for_word_and_confirmed(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    space = space_of(app)

    assert _give(client, space) == f"{space}?fait=accord"

    with app.app_context():
        consent = db.session.scalars(select(Consent)).one()
        assert consent.wording.text.startswith("J’ai 15 ans ou plus et j’accepte de recevoir par e-mail")
    assert (consent.origin, consent.submission_id) == (ConsentOrigin.SPACE, None)
    assert consent.given_at == consent.confirmed_at
    before = rows(app)
    shown = before["consents"] and client.post(f"{space}/accords/email/don").headers["Location"]
    # Without the words that were shown, nothing is agreed to.
    assert shown == f"{space}?fait=mots"
    assert rows(app) == before


def test_consent_is_given_once(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    space = space_of(app)
    form = client.page(space).form(f"{space}/accords/email/don")
    client.send(form)
    before = rows(app)

    assert client.send(form).response.headers["Location"] == f"{space}?fait=deja"

    assert rows(app) == before


def test_two_presses_at_once_give_one_consent(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    space = space_of(app)
    form = client.page(space).form(f"{space}/accords/email/don")
    barrier = threading.Barrier(4)

    def press() -> None:
        barrier.wait()
        app.test_client().post(form.action, data=form.values)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(_consents(app)) == 1


def test_export_tells_of_it_on_each_of_the_leads_rows(client: CheckedClient, app: Flask) -> None:
    for _ in range(2):
        ask_brochure(client)
    ask_brochure(client, email="max@exemple.fr")
    _give(client, space_of(app))
    # One ticked later brings no second row.
    ask_brochure(client, email_consent="y")

    given = [(row["email"], row["email_consent"], row["email_consent_confirmed_at"] != "") for row in export(app)]

    zoe, other = ("zoe@exemple.fr", "true", True), ("max@exemple.fr", "false", False)
    assert given == [zoe, zoe, other, zoe]


def test_withdrawn_consent_leaves_the_export(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client, email_consent="y")
    _withdraw(client, space_of(app))
    _give(client, space_of(app))
    assert only(export(app))["email_consent"] == "true"

    _withdraw(client, space_of(app))

    assert only(export(app))["email_consent"] == "false"
    assert [consent.withdrawn_at is not None for consent in _consents(app)] == [True, True]


def test_who_agreed_here_is_not_asked_to_confirm_the_same_words(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    ask_brochure(client)
    _give(client, space_of(app))
    ask_brochure(client, email_consent="y")
    Worker(app).run("mails")

    assert [consent.confirmed_at is not None for consent in _consents(app)] == [True, True]
    assert "Confirmez que vous voulez nos e-mails" not in [mail["Subject"] for mail in sent.sent]


def test_ticked_box_is_confirmed_here_too(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client, email_consent="y")
    space = space_of(app)
    page = client.page(space)
    assert "Pas encore confirmé" in page.text
    assert page.one(f'form[action="{space}/accords/email/don"] button').text() == "Je confirme"

    assert _give(client, space) == f"{space}?fait=accord"

    consent = only(_consents(app))
    assert (consent.origin, consent.confirmed_at is not None) == (ConsentOrigin.FORM, True)
    assert "Je confirme" not in client.page(space).text


def test_calls_need_a_number(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    space = space_of(app)
    assert "Vous ne nous avez pas laissé de numéro" in client.page(space).text
    assert client.post(f"{space}/accords/phone/don").status_code == 404

    ask_brochure(client, phone="06 12 34 56 78")

    assert "06 12 34 56 78" in client.page(space).text
    assert _give(client, space, "phone") == f"{space}?fait=accord"
    assert {row["phone_consent"] for row in export(app)} == {"true"}


def test_withdrawing_ends_older_links_and_goes_on_with_a_fresh_one(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client, email_consent="y")
    old, other = space_of(app), space_of(app)
    with time_machine.travel(utc_now() + timedelta(seconds=2)):
        fresh = _withdraw(client, old)
        assert fresh.endswith("?fait=retrait")
        page = client.page(fresh)
        assert page.text.count("Votre accord est retiré.") == 1
        before = rows(app)

        # Pressed twice, by the link that the first press has ended: told so, on a page that is nobody's.
        again = _withdraw(client, old)
        assert again == "/mon-espace?fait=retrait"
        assert "Votre accord est retiré." in client.page(again).text
        for link in (old, other, f"{old}/donnees/effacement"):
            assert client.page(link).status == 410
        for action in ("accords/phone/retrait", "accords/email/don", "donnees/copie", "alertes/arret"):
            assert client.post(f"{old}/{action}").status_code in (303, 410)
        assert _withdraw(client, fresh.partition("?")[0]).endswith("?fait=deja")
        assert rows(app) == before


def test_ended_link_withdraws_nothing_that_stands(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client, email_consent="y")
    old = space_of(app)
    fresh = _withdraw(client, old).partition("?")[0]
    _give(client, fresh)
    before = rows(app)

    for action in ("accords/email/retrait", "donnees/effacement", "donnees/copie"):
        assert client.post(f"{old}/{action}").status_code == 410

    assert rows(app) == before


def test_words_that_changed_meanwhile_are_read_again(
    client: CheckedClient, app: Flask, make_app: Callable[..., Flask], environ: Environ
) -> None:
    ask_brochure(client)
    space = space_of(app)
    form = client.page(space).form(f"{space}/accords/email/don")
    content = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content"
    content.mkdir(exist_ok=True)
    words = (SHIPPED / "consents.toml").read_text().replace("les conseils", "les bons conseils")
    (content / "consents.toml").write_text(words)
    later = make_app().test_client()

    answer = later.post(form.action, data=form.values)

    assert answer.headers["Location"] == f"{space}?fait=mots"
    assert _consents(app) == []


def test_migration_keeps_what_was_agreed_to(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client, email_consent="y", phone="0612345678", phone_consent="y")
    _give(client, space_of(app))
    form_given = rows(app)["consents"]
    ask_brochure(client, email="max@exemple.fr")
    _give(client, space_of(app, "max@exemple.fr"))

    with app.app_context():
        downgrade(revision="0005")
        upgrade()

    # What was given without a form had no place before.
    assert rows(app)["consents"] == form_given
