"""Mailed links: opening one changes nothing, the button acts, a second click says that it is done."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.db import db
from microsite.leads.models import Consent, Lead
from microsite.outbox.models import OutgoingMail
from microsite.outbox.transports import MemoryTransport
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import BROCHURE, export, only, plan_slot
from ..page import CheckedClient, Page
from .owners import rows, space_of


def _agree(client: CheckedClient, path: str = "/brochure", **more: str) -> None:
    client.follow(client.send(client.page(path).form(path), **BROCHURE | more, email_consent="y"))


def _links(app: Flask, sent: MemoryTransport) -> list[str]:
    """Paths of every link in every mail, in order."""
    Worker(app).run("mails")
    found = []
    for message in sent.sent:
        body = message.get_body(("plain",))
        assert body is not None
        found += [word.split(":8000")[1] for word in str(body.get_content()).split() if word.startswith("http://")]
    return found


def _link(app: Flask, sent: MemoryTransport, part: str) -> str:
    return next(link for link in reversed(_links(app, sent)) if part in link)


def _press(client: CheckedClient, path: str) -> Page:
    return client.follow(client.send(client.page(path).form(path)))


@pytest.mark.slow
@pytest.mark.parametrize(("engine_name", "looks"), [("sqlite", 50), ("postgresql", 4)])
def test_many_looks_at_every_mailed_link_change_no_row(
    client: CheckedClient, app: Flask, sent: MemoryTransport, looks: int
) -> None:
    slot = plan_slot(app, capacity=5)
    _agree(client)
    _agree(client, "/portes-ouvertes", slot=slot)
    space = space_of(app)
    pages = {
        space,
        f"{space}?fait=annulation",
        f"{space}/donnees/effacement",
        "/mon-espace",
        # What the QR code says.
        f"/admissions/accueil/{client.page(space).one('.reference').text()}",
        *client.page(space).links(),
    }
    # The team's own pages ask who is there.
    public = [link for link in _links(app, sent) if not link.startswith("/admissions/")]
    links = sorted({link for link in [*public, *pages] if link.startswith("/")})
    assert {link.split("/")[1] for link in links} >= {"brochure", "e-mails", "confidentialite", "mon-espace"}
    before = rows(app)

    for link in links:
        for _ in range(looks // 2):
            assert client.get(link).status_code == 200
            assert client.head(link).status_code == 200

    assert rows(app) == before


def test_consent_counts_as_confirmed_after_the_button_alone(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    _agree(client)
    link = _link(app, sent, "/confirmer/")
    page = client.page(link)
    assert "J’ai 15 ans ou plus et j’accepte" in page.text
    assert only(export(app))["email_consent_confirmed_at"] == ""

    done = _press(client, link)

    assert done.one("h1").text() == "C’est confirmé, merci"
    row = only(export(app))
    assert (row["email_consent"], row["email_consent_confirmed_at"] != "") == ("true", True)
    with time_machine.travel(utc_now() + timedelta(days=1)):
        assert client.post(link).status_code == 303
    assert only(export(app)) == row


def test_who_has_confirmed_is_not_asked_again(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _agree(client)
    _press(client, _link(app, sent, "/confirmer/"))

    _agree(client)
    Worker(app).run("mails")

    assert [mail["Subject"] for mail in sent.sent].count("Confirmez que vous voulez nos e-mails") == 1
    first, again = (row["email_consent_confirmed_at"] for row in export(app))
    assert first == again != ""


def test_three_boxes_ticked_in_a_day_are_confirmed_by_one_button(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    for _ in range(3):
        _agree(client)
    Worker(app).run("mails")
    assert [mail["Subject"] for mail in sent.sent].count("Confirmez que vous voulez nos e-mails") == 1

    _press(client, _link(app, sent, "/confirmer/"))

    assert all(row["email_consent_confirmed_at"] for row in export(app))


def test_who_lets_a_day_pass_is_asked_again(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _agree(client)
    with time_machine.travel(utc_now() + timedelta(days=1, minutes=1)):
        _agree(client)
        Worker(app).run("mails")

    assert [mail["Subject"] for mail in sent.sent].count("Confirmez que vous voulez nos e-mails") == 2


def test_stop_link_ends_every_consent_and_says_so_again(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    _agree(client)
    _agree(client)
    confirm, stop = _link(app, sent, "/confirmer/"), _link(app, sent, "/arreter/")
    _press(client, confirm)

    done = _press(client, stop)

    assert done.one("h1").text() == "C’est fait, vous ne recevrez plus nos actualités"
    assert {row["email_consent"] for row in export(app)} == {"false"}
    with app.app_context():
        ended = {consent.id: consent.withdrawn_at for consent in db.session.scalars(select(Consent))}
    assert client.post(stop).status_code == 200
    assert client.post(confirm).status_code == 303
    assert client.page(confirm).one("h1").text() == "Vous ne recevez plus nos e-mails"
    with app.app_context():
        assert {consent.id: consent.withdrawn_at for consent in db.session.scalars(select(Consent))} == ended


def test_old_link_confirms_no_later_consent(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _agree(client)
    confirm, stop = _link(app, sent, "/confirmer/"), _link(app, sent, "/arreter/")
    _press(client, stop)
    _agree(client)

    assert client.post(confirm).status_code == 303

    assert [row["email_consent_confirmed_at"] for row in export(app)] == ["", ""]


def test_mail_program_unsubscribes_in_one_click(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _agree(client)
    Worker(app).run("mails")
    mail = next(message for message in sent.sent if "List-Unsubscribe" in message)

    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = str(mail["List-Unsubscribe"]).strip("<>").split(":8000")[1]
    # RFC 8058, section 3.2: a POST without cookie, form or redirect.
    answer = client.post(address, data={"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 200
    assert only(export(app))["email_consent"] == "false"


@pytest.mark.parametrize(
    "sending",
    [
        {},
        {"data": b""},
        {"data": {"list-unsubscribe": "one-click"}},
        {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"},
        {"data": b"List-Unsubscribe=One-Click", "content_type": "text/plain"},
        {"json": {"List-Unsubscribe": "One-Click"}},
    ],
)
def test_mail_program_stops_mails_whatever_it_sends_along(
    client: CheckedClient, app: Flask, sent: MemoryTransport, sending: dict[str, Any]
) -> None:
    _agree(client)
    stop = _link(app, sent, "/arreter/")
    assert client.get(stop).status_code == client.head(stop).status_code == 200
    assert only(export(app))["email_consent"] == "true", "a look changes nothing"

    for _ in range(2):
        answer = client.post(stop, headers={"Sec-Fetch-Site": "cross-site", "Origin": "null"}, **sending)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)

    assert only(export(app))["email_consent"] == "false"


def test_button_of_the_page_leads_to_a_page_that_can_be_reloaded(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    _agree(client)
    stop = _link(app, sent, "/arreter/")

    pressed = client.send(client.page(stop).form(stop))

    assert (pressed.status, pressed.response.headers["Location"]) == (303, stop)


def test_only_mails_that_can_be_stopped_say_so(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _agree(client)
    Worker(app).run("mails")

    stoppable = [mail["Subject"] for mail in sent.sent if "List-Unsubscribe" in mail]

    assert stoppable == ["Confirmez que vous voulez nos e-mails"]


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ("/confirmer/", 410),
        # What does no harm outlives it: a mail program's button, and the year of a brochure that shows nobody's data.
        ("/arreter/", 200),
        ("/exemplaire/", 200),
    ],
)
def test_raised_version_revokes_the_mailed_links_that_matter(
    client: CheckedClient, app: Flask, sent: MemoryTransport, part: str, status: int
) -> None:
    _agree(client)
    link = _link(app, sent, part)
    with app.app_context():
        only(list(db.session.scalars(select(Lead)))).link_version += 1
        db.session.commit()

    assert client.page(link).status == status


@pytest.mark.parametrize(("part", "days"), [("/exemplaire/", 365), ("/confirmer/", 30), ("/arreter/", 3 * 365)])
def test_mailed_links_end(client: CheckedClient, app: Flask, sent: MemoryTransport, part: str, days: int) -> None:
    _agree(client)
    link = _link(app, sent, part)

    with time_machine.travel(utc_now() + timedelta(days=days, minutes=-1)):
        assert client.page(link).status == 200
    with time_machine.travel(utc_now() + timedelta(days=days, minutes=1)):
        assert client.page(link).status == 410


def test_link_made_for_one_thing_opens_no_other(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _agree(client)
    token = _link(app, sent, "/confirmer/").rpartition("/")[2]

    assert client.page(f"/e-mails/arreter/{token}").status == 404
    assert client.page(f"/brochure/exemplaire/{token}").status == 404
    assert client.post(f"/e-mails/arreter/{token}").status_code == 404


def test_outbox_keeps_nothing_personal(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _agree(client)
    Worker(app).run("mails")

    with app.app_context():
        rows = db.session.execute(select(OutgoingMail.__table__)).all()
    assert len(rows) == 3
    assert not [value for row in rows for value in row if "zoe" in str(value).lower() or "Lefèvre" in str(value)]
