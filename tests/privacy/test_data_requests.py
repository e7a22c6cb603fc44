"""A copy of one's data, or their erasure: asked for once, told to admissions, confirmed, and due within a month."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from microsite.db import db
from microsite.outbox.transports import MemoryTransport
from microsite.privacy.data_requests import a_month_after
from microsite.privacy.models import PrivacyRequest
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..page import CheckedClient
from .owners import ask_brochure, rows, space_of


def test_copy_is_asked_for_once(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    ask_brochure(client)
    space = space_of(app)

    assert client.post(f"{space}/donnees/copie").headers["Location"] == f"{space}?fait=copie"

    before = rows(app)
    (request,) = before["privacy_requests"]
    assert (request.kind, request.done_at) == ("copy", None)
    assert client.post(f"{space}/donnees/copie").headers["Location"] == f"{space}?fait=deja"
    assert rows(app) == before
    page = client.page(space)
    assert "réponse au plus tard le" in page.text
    assert "Demander une copie" not in page.text


def test_admissions_are_told_and_the_owner_has_it_in_writing(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    ask_brochure(client)
    with time_machine.travel(datetime(2027, 1, 31, 9, tzinfo=UTC)):
        client.post(f"{space_of(app)}/donnees/copie")
        Worker(app).run("mails")

    told, noted = sent.sent[-2:]
    assert told["Subject"] == "Copie des données\N{NO-BREAK SPACE}: à répondre au plus tard le dimanche 28 février 2027"
    assert told["To"] != "zoe@exemple.fr"
    assert (noted["To"], noted["Subject"]) == ("zoe@exemple.fr", "Votre demande de copie de vos données")
    decided = [row for row in rows(app)["outgoing_mails"] if row.template.startswith("privacy")]
    assert {row.cause for row in decided} == {"1"}
    assert not [value for row in decided for value in row if "zoe" in str(value).lower() or "Lefèvre" in str(value)]


def test_erasure_is_explained_then_asked_for(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    ask_brochure(client, email_consent="y", phone="0612345678", phone_consent="y")
    old = space_of(app)
    page = client.page(f"{old}/donnees/effacement")
    assert "C’est définitif." in page.text
    assert page.response.headers["Cache-Control"] == "no-store"

    answer = client.send(page.form(f"{old}/donnees/effacement"))

    fresh, _, state = answer.response.headers["Location"].partition("?")
    assert (fresh != old, state) == (True, "fait=effacement")
    assert "Les faire effacer Demandé le" in client.page(fresh).text
    kept = rows(app)
    assert [request.kind for request in kept["privacy_requests"]] == ["erasure"]
    assert all(consent.withdrawn_at for consent in kept["consents"])
    Worker(app).run("mails")
    assert sent.sent[-1]["Subject"] == "Votre demande d’effacement"


def test_erasure_ends_older_links_and_is_asked_for_once(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    old = space_of(app)
    fresh = client.post(f"{old}/donnees/effacement").headers["Location"].partition("?")[0]
    before = rows(app)

    assert client.page(old).status == 410
    assert client.post(f"{old}/donnees/effacement").headers["Location"] == "/mon-espace?fait=effacement"
    assert client.post(f"{fresh}/donnees/effacement").headers["Location"] == f"{fresh}?fait=deja"
    assert client.page(fresh).status == 200
    assert rows(app) == before


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_looking_at_the_explanation_asks_for_nothing(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)

    client.page(f"{space_of(app)}/donnees/effacement")

    assert rows(app)["privacy_requests"] == []


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        # In Paris, whatever UTC says.
        ("2026-11-23T16:00+00:00", "2026-12-23T16:00+00:00"),
        ("2026-12-31T22:30+00:00", "2027-01-31T22:30+00:00"),
        # No such day: the month's last.
        ("2027-01-31T09:00+00:00", "2027-02-28T09:00+00:00"),
        ("2028-01-30T09:00+00:00", "2028-02-29T09:00+00:00"),
        # The clocks change in between: the same hour in Paris.
        ("2027-03-01T09:00+00:00", "2027-04-01T08:00+00:00"),
        ("2027-10-01T08:00+00:00", "2027-11-01T09:00+00:00"),
    ],
)
def test_month_ends_on_the_same_day_of_the_next(asked: str, due: str) -> None:
    assert a_month_after(datetime.fromisoformat(asked)) == datetime.fromisoformat(due)


def test_one_that_is_answered_can_be_asked_again(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    space = space_of(app)
    client.post(f"{space}/donnees/copie")
    with app.app_context():
        db.session.execute(update(PrivacyRequest).values(done_at=utc_now() + timedelta(days=1)))
        db.session.commit()

    assert client.post(f"{space}/donnees/copie").headers["Location"] == f"{space}?fait=copie"
    assert len(rows(app)["privacy_requests"]) == 2
