"""A slot on 7 March 2099 at 10 h in Paris, two seats, on site."""

import pytest
from flask import Flask

from microsite.outbox.transports import MemoryTransport

from ..answers import plan_slot
from ..page import CheckedClient
from .scene import Scene


@pytest.fixture
def scene(app: Flask, client: CheckedClient, sent: MemoryTransport) -> Scene:
    return Scene(app, client, sent, plan_slot(app, capacity=2, access="Entrée par la cour."))
