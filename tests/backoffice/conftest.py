"""Staff, signed in."""

from collections.abc import Callable

import pytest
from flask import Flask

from microsite.backoffice.accounts.services import add_staff
from microsite.backoffice.models import Role
from microsite.db import db, writing
from microsite.web.context import utc_now

from ..page import CheckedClient, Page

PASSWORD = "trois petits chats dansent"

Browser = Callable[[], CheckedClient]
Desk = Callable[[Role], CheckedClient]


def address(role: Role) -> str:
    return f"{role}@ecole.example"


def add_member(app: Flask, role: Role, *, password: str = PASSWORD, email: str = "") -> int:
    """An account whose password is its own; its id."""
    with app.app_context(), writing():
        member = add_staff(
            db.session(),
            email=email or address(role),
            name=f"Camille ({role})",
            role=role,
            password=password,
            must_change_password=False,
            now=utc_now(),
        )
        return member.id


def enter(client: CheckedClient, *, email: str, password: str = PASSWORD, suite: str = "") -> Page:
    """Fill in the sign-in form; the answer, not followed."""
    path = f"/admissions/connexion?suite={suite}" if suite else "/admissions/connexion"
    page = client.page(path)
    return client.send(page.form(str(page.one("main form").attributes["action"])), email=email, password=password)


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser that nobody has used yet."""

    def start() -> CheckedClient:
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        return client

    return start


@pytest.fixture
def desk(app: Flask, browser: Browser) -> Desk:
    """A browser in which somebody of that role is signed in."""

    def sign_in(role: Role) -> CheckedClient:
        add_member(app, role)
        client = browser()
        assert enter(client, email=address(role)).status == 303
        return client

    return sign_in
