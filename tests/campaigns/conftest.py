"""A visitor with a telephone, and what was counted."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from microsite.campaigns.counting import current_counter
from microsite.campaigns.models import ViewCount
from microsite.db import db

from ..page import CheckedClient

# Safari on an iPhone.
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)

Counted = Callable[[], dict[tuple[str, str, str], int]]


@pytest.fixture
def phone(client: CheckedClient) -> CheckedClient:
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    return client


@pytest.fixture
def counted(app: Flask) -> Counted:
    """Page, campaign and source → views, once they are written down."""

    def read() -> dict[tuple[str, str, str], int]:
        with app.app_context():
            current_counter().flush()
            return {(row.page, row.campaign, row.source): row.count for row in db.session.scalars(select(ViewCount))}

    return read
