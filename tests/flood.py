"""`make flood`: 10,000 submissions for one address. Not part of `make test`, which has a smaller one."""

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient

from microsite.outbox.services import DAILY_CAP
from microsite.outbox.transports import MemoryTransport
from microsite.worker import Worker

from .answers import BROCHURE, export
from .page import CheckedClient


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_ten_thousand_submissions_for_one_address_send_a_handful(app: Flask, sent: MemoryTransport) -> None:
    values = CheckedClient(app).page("/brochure").form("/brochure").values
    client = FlaskClient(app)

    statuses = {
        client.post("/brochure", data=values | BROCHURE | {"last_name": f"Nom {n}"}).status_code for n in range(10_000)
    }
    Worker(app).run("mails")

    click.echo(f"\n10 000 envois pour une adresse : {len(sent.sent)} messages")
    assert statuses == {303}
    assert len(export(app)) == 10_000
    assert len(sent.sent) == 2 * DAILY_CAP
