"""The thank-you page: what was asked for, the slot as it is planned now, links for online calendars."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from microsite.db import db, writing
from microsite.open_days.models import Slot
from microsite.open_days.planning import SlotPlan, edit_slot
from microsite.web.context import utc_now

from ..answers import BROCHURE, call_off, plan_slot
from ..page import CheckedClient, Page

PATHS = ("/portes-ouvertes", "/embed/portes-ouvertes")


def _send(client: CheckedClient, *, path: str = "/portes-ouvertes", **answers: str) -> Page:
    return client.send(client.page(path).form(path), **BROCHURE | answers)


def _calendar_links(page: Page) -> dict[str, str]:
    """The last words of each link that brings the slot into a calendar → its address."""
    links = page.tree.css('a[href$=".ics"], a[href*="calendar"]')
    return {node.text(): str(node.attributes["href"]) for node in links}


@pytest.mark.parametrize("path", PATHS)
def test_seat_asked_for_comes_with_calendar_links_and_what_the_day_says(
    client: CheckedClient, app: Flask, path: str
) -> None:
    slot = plan_slot(app, access="Métro Odéon", description="Visite du plateau")

    thanks = client.follow(_send(client, path=path, slot=slot))

    assert list(_calendar_links(thanks)) == ["Ajoutez le créneau à votre agenda", "Google Agenda", "Outlook"]
    assert "Métro Odéon" in thanks.text
    assert "Visite du plateau" in thanks.text
    for node in thanks.tree.css('a[href^="https:"]'):
        assert node.attributes["rel"] == "noopener noreferrer"
    assert thanks.response.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PATHS)
def test_waiting_list_asked_for_promises_no_seat(client: CheckedClient, app: Flask, path: str) -> None:
    slot = plan_slot(app, capacity=5)

    thanks = client.follow(_send(client, path=path, slot=f"{slot}-attente"))

    assert thanks.one("h1").text() == "Merci, votre demande de liste d’attente est enregistrée"
    assert "Un e-mail vous dit où vous en êtes : sur la liste d’attente, ou déjà inscrit" in thanks.text
    assert _calendar_links(thanks) == {}


def test_links_fill_online_calendars_in_and_hold_nothing_personal(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, title="Rencontre + visite & débat", day="2099-07-04", place="1 rue d’Été, Paris")

    links = _calendar_links(client.follow(_send(client, slot=slot)))

    google, outlook = urlsplit(links["Google Agenda"]), urlsplit(links["Outlook"])
    assert (google.hostname, google.path) == ("calendar.google.com", "/calendar/render")
    assert parse_qs(google.query) == {
        "action": ["TEMPLATE"],
        "text": ["Rencontre + visite & débat, ÉSEC"],
        # Summer: two hours before Paris.
        "dates": ["20990704T080000Z/20990704T100000Z"],
        "location": ["1 rue d’Été, Paris"],
        "details": ["http://127.0.0.1:8000/portes-ouvertes"],
    }
    assert (outlook.hostname, outlook.path) == ("outlook.live.com", "/calendar/0/deeplink/compose")
    assert parse_qs(outlook.query) == {
        "path": ["/calendar/action/compose"],
        "rru": ["addevent"],
        "subject": ["Rencontre + visite & débat, ÉSEC"],
        "startdt": ["2099-07-04T08:00:00Z"],
        "enddt": ["2099-07-04T10:00:00Z"],
        "location": ["1 rue d’Été, Paris"],
        "body": ["http://127.0.0.1:8000/portes-ouvertes"],
    }
    # Outlook shows a plus sign where a form would have meant a space.
    assert "+" not in outlook.query + google.query


@pytest.mark.parametrize("chosen", ["", "-attente"])
def test_page_opened_again_once_the_slot_is_cancelled_says_so(client: CheckedClient, app: Flask, chosen: str) -> None:
    slot = plan_slot(app, capacity=5)
    answer = _send(client, slot=f"{slot}{chosen}")
    call_off(app, slot)

    thanks = client.follow(answer)

    assert "Depuis votre demande, ce créneau a été annulé. Nous en sommes désolés" in thanks.text
    assert _calendar_links(thanks) == {}
    assert "Un e-mail" not in thanks.text


def test_page_opened_again_once_the_slot_has_moved_says_when_it_is(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=5)
    answer = _send(client, slot=slot)
    with app.app_context(), writing():
        kept = db.session.get_one(Slot, int(slot))
        later = SlotPlan(starts_at=kept.ends_at, ends_at=kept.ends_at.replace(hour=15), capacity=5)
        edit_slot(db.session(), kept, later, now=utc_now())

    assert "samedi 7 mars 2099, de 12 h à 16 h" in client.follow(answer).text
