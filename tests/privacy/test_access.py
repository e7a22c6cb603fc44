"""/mon-espace mails a link to who is known, and says the same to everyone."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from microsite.outbox.transports import MemoryTransport
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..conftest import Environ
from ..page import CheckedClient, Page, body
from .owners import ZOE, ask_brochure, rows, space_of

UNKNOWN = "personne@exemple.fr"


def _ask(client: CheckedClient, email: str, **more: str) -> Page:
    return client.send(client.page("/mon-espace").form("/mon-espace"), email=email, **more)


def _links(sent: MemoryTransport) -> list[str]:
    """Of each mail with a link, the path."""
    found = []
    for message in sent.sent:
        part = message.get_body(("plain",))
        if part is not None and message["Subject"].startswith("Votre espace"):
            found += re.findall(r":8000(/mon-espace/\S+)", str(part.get_content()))[:1]
    return found


def _answer(response: TestResponse) -> tuple[int, bytes, dict[str, str]]:
    # The name of the request is a new one each time.
    del response.headers["X-Request-ID"]
    return response.status_code, body(response), dict(response.headers)


def test_known_and_unknown_are_answered_alike(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    token = client.page("/mon-espace").form("/mon-espace").values["form_token"]

    known, unknown = (
        client.post("/mon-espace", data={"form_token": token, "email": email}) for email in (ZOE, UNKNOWN)
    )

    assert _answer(known) == _answer(unknown)
    assert known.status_code == 303
    assert client.page(known.headers["Location"]).one("h1").text() == "Regardez votre boîte e-mail"
    # The same work for both: a row, which the worker looks at later.
    assert [row.email for row in rows(app)["access_requests"]] == [ZOE, UNKNOWN]


def test_who_is_known_is_mailed_a_link_and_nothing_asked_is_kept(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    ask_brochure(client)
    ask_brochure(client)
    for email in (UNKNOWN, "ZOE@exemple.fr"):
        _ask(client, email)

    Worker(app).run("mails")

    (link,) = _links(sent)
    assert client.page(link).status == 200
    kept = rows(app)
    assert kept["access_requests"] == []
    assert [mail.template for mail in kept["outgoing_mails"]].count("access") == 1
    assert UNKNOWN not in str(kept)
    assert [mail["To"] for mail in sent.sent if mail["Subject"].startswith("Votre espace")] == [ZOE]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_command_that_runs_once_answers_too(client: CheckedClient, app: Flask, environ: Environ) -> None:
    ask_brochure(client)
    for email in (UNKNOWN, ZOE):
        _ask(client, email)

    result = app.test_cli_runner().invoke(args=["outbox", "run", "--once"])

    assert result.exit_code == 0, result.output
    assert rows(app)["access_requests"] == []
    assert len(list((Path(environ["MICROSITE_INSTANCE_PATH"]) / "mails").glob("*.access.*.eml"))) == 1


def test_new_link_leaves_older_ones_alone(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    ask_brochure(client)
    old = space_of(app)
    with time_machine.travel(utc_now() + timedelta(hours=1)):
        _ask(client, ZOE)
        Worker(app).run("mails")

        (link,) = _links(sent)
        assert client.page(old).status == client.page(link).status == 200


def test_one_person_is_mailed_a_few_links_an_hour(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    ask_brochure(client)
    start = utc_now()

    for hours, expected in [(0, 3), (1.1, 6), (2.2, 8), (3.3, 8), (25, 11)]:
        with time_machine.travel(start + timedelta(hours=hours)):
            for _ in range(5):
                _ask(client, ZOE)
            Worker(app).run("mails")
        assert len(_links(sent)) == expected, hours
    assert rows(app)["access_requests"] == []


def test_forms_sent_in_somebodys_name_leave_them_their_link(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    for _ in range(8):
        ask_brochure(client)
    _ask(client, ZOE)
    Worker(app).run("mails")

    assert len(_links(sent)) == 1


def test_program_that_fills_everything_in_causes_nothing(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    before = rows(app)

    answer = _ask(client, ZOE, topic="achetez")

    assert answer.response.headers["Location"] == "/mon-espace/lien-envoye"
    assert rows(app) == before


@pytest.mark.parametrize("email", ["", "zoe", "zoe@", "zoé arobase exemple"])
def test_what_is_no_address_is_asked_again_with_what_was_typed(client: CheckedClient, email: str) -> None:
    page = _ask(client, email)

    assert page.status == 422
    assert page.form("/mon-espace").values["email"] == email
    assert "email" in page.errors()


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_expired_form_keeps_the_address(client: CheckedClient) -> None:
    form = client.page("/mon-espace").form("/mon-espace")

    with time_machine.travel(utc_now() + timedelta(days=2)):
        page = client.send(form, email=ZOE)

    assert page.status == 422
    assert page.form("/mon-espace").values["email"] == ZOE


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_each_page_leads_there_quietly(client: CheckedClient) -> None:
    footer = client.page("/").one("footer")

    assert footer.css("a")[0].text() == "Mon espace"
