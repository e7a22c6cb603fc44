"""Every public address that holds a link, tried with links for something else, forged, damaged, outlived or revoked."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select, update

from microsite.db import db, writing
from microsite.leads.emails import SPACE
from microsite.leads.links import mailed_token
from microsite.leads.models import Lead, Submission
from microsite.web.context import utc_now
from microsite.web.links import sign, unsign

from ..answers import plan_slot
from ..page import CheckedClient
from .owners import ZOE, ask_brochure, register

MAX = "max@exemple.fr"
# What opens an address, where it isn't a link of its own: the mailed brochure's file, each button of the personal page.
SHARED = {"brochures.download_copy": "brochures.copy"}
# Links that outlive a raised link_version, on purpose (docs/architecture.md).
OUTLIVING = {"brochures.copy", "brochures.download_copy", "privacy.stop_emails"}


@pytest.fixture
def engine_name() -> str:
    """Signatures ask no database."""
    return "sqlite"


def _opened_by(endpoint: str) -> str:
    is_button = endpoint.startswith("privacy.") and endpoint not in ("privacy.confirm_emails", "privacy.stop_emails")
    return SHARED.get(endpoint, SPACE if is_button else endpoint)


def _addresses(app: Flask) -> list[tuple[str, str, str]]:
    """Method, path with {} for the link, and what opens it."""
    return [
        (
            method,
            re.sub("<any[^>]*>", "email", rule.rule)
            .replace("<token>", "{}")
            .replace("<reference>", "JPO-222222")
            .replace("<path:rest>", "x"),
            rule.endpoint,
        )
        for rule in app.url_map.iter_rules()
        if "token" in rule.arguments and not rule.endpoint.startswith("backoffice.")
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]


def _links(app: Flask, email: str) -> dict[str, str]:
    """Purpose → a link that is good for it, of this person."""
    with app.test_request_context():
        found = db.session.scalars(select(Submission).where(Submission.email == email)).first()
        assert found is not None
        purposes = {_opened_by(endpoint) for _, _, endpoint in _addresses(app)}
        mailed = {purpose for purpose in purposes if purpose.startswith("privacy.") or purpose == "brochures.copy"}
        plain = {purpose: sign(purpose, found.reference) for purpose in purposes - mailed}
        return plain | {purpose: mailed_token(purpose, found) for purpose in mailed}


def _ours_with_other_contents(app: Flask, purpose: str, right: str) -> list[str]:
    """Signed by us for this very page, as another version of the program might have written them."""
    with app.app_context():
        contents, _ = unsign(purpose, right, max_age=60)
        plain = contents if isinstance(contents, str) else contents[0]
        others = [plain, [plain, 1], [plain], [plain, "1"], [1, plain], {"reference": plain}, None, 7]
        return [sign(purpose, other) for other in others if other != contents]


def _status(client: CheckedClient, method: str, path: str, token: str) -> int:
    with client.open(
        path.format(token), method=method, data={"companions": "1"} if method == "POST" else None
    ) as answer:
        return answer.status_code


def test_link_opens_nothing_but_what_it_was_made_for(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    register(app, plan_slot(app))
    good = _links(app, ZOE)
    with app.app_context():
        reference = db.session.scalars(select(Submission.reference)).first()

    for method, path, endpoint in _addresses(app):
        purpose = _opened_by(endpoint)
        forged = URLSafeTimedSerializer("another key", salt=purpose).dumps([reference, 1])
        right = good[purpose]
        damaged = [
            right[:-2],
            f"{right}x",
            right.swapcase(),
            f".{right}",
            right.replace(".", "", 1),
            f"{right[0]}{right}",
            "%00",
            "é",
        ]
        wrong = [token for other, token in good.items() if other != purpose]
        for token in (*wrong, *_ours_with_other_contents(app, purpose, right), str(forged), *damaged, "x"):
            if method == "GET" and endpoint == "privacy.back_to_space":
                continue  # leads to the page itself, whatever it holds
            assert _status(client, method, path, token) == 404, (method, path, token)


def test_outlived_and_revoked_links_say_so(client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    good = _links(app, ZOE)
    addresses = [row for row in _addresses(app) if row[2] != "privacy.back_to_space"]

    with time_machine.travel(utc_now() + timedelta(days=4 * 365), tick=False):
        for method, path, endpoint in addresses:
            if endpoint.startswith(("brochures", "privacy")):
                assert _status(client, method, path, good[_opened_by(endpoint)]) == 410, (method, path)
    with app.app_context(), writing():
        db.session.execute(update(Lead).values(link_version=Lead.link_version + 1))
    for method, path, endpoint in addresses:
        if endpoint.startswith("privacy.") and endpoint not in OUTLIVING:
            with client.open(
                path.format(good[_opened_by(endpoint)]), method=method, data={"companions": "1"}
            ) as answer:
                # What was done already is told on a page that is nobody's.
                is_told = answer.headers.get("Location", "").startswith("/mon-espace?fait=")
                assert answer.status_code in (404, 410) or is_told, (method, path, answer.status_code)


def test_link_of_one_person_shows_and_changes_nothing_of_another(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app)
    register(app, slot, email=ZOE)
    theirs = register(app, slot, email=MAX)
    mine = _links(app, ZOE)[SPACE]

    page = client.page(f"/mon-espace/{mine}")
    assert MAX not in page.html
    assert theirs not in page.html
    for action in ("accompagnants", "acceptation", "annulation"):
        answer = client.post(f"/mon-espace/{mine}/inscriptions/{theirs}/{action}", data={"companions": "1"})
        assert answer.status_code == 404, action
