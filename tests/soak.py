"""`make soak`: kill -9 at random moments for a bounded time, then a flood for one address. Not part of `make test`; a seed repeats the moments.

SOAK_SECONDS is for all engines together, SOAK_SEED is one that was printed.
"""

import os
import random
import secrets
import time
from collections.abc import Iterator

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient

from microsite.jobs import Worker
from microsite.outbox.services import DAILY_CAP
from microsite.outbox.transports import MemoryTransport

from .answers import BROCHURE, export
from .conftest import Environ
from .kills import Burst, Moment, Record, kill_at
from .page import CheckedClient
from .postgres import find_programs

SECONDS = float(os.environ.get("SOAK_SECONDS") or 60)
SEED = os.environ.get("SOAK_SEED") or secrets.token_hex(4)
# What a moment is drawn from: so many acknowledgements, then so many seconds.
_ACKNOWLEDGEMENTS = 80
_DELAY = 0.05


def test_killed_at_random_moments_loses_and_doubles_nobody(app: Flask, environ: Environ, engine_name: str) -> None:
    click.echo(f"\n{engine_name} : tirage {SEED} (les mêmes moments : make soak SOAK_SEED={SEED})")
    share = SECONDS / (2 if find_programs() else 1)

    record = kill_at(_moments(engine_name, until=time.monotonic() + share), app, environ)

    click.echo(_told(record))
    assert (record.lost, record.doubled, record.refused, record.damage) == (set(), set(), [], [])
    assert record.kept.keys() == record.acknowledged.keys()


def _moments(engine_name: str, *, until: float) -> Iterator[Moment]:
    draw = random.Random(f"{SEED} {engine_name}")  # noqa: S311  # moments, not secrets
    while time.monotonic() < until:
        yield _moment(draw.randrange(_ACKNOWLEDGEMENTS), draw.uniform(0, _DELAY))


def _moment(acknowledgements: int, delay: float) -> Moment:
    def wait(burst: Burst) -> None:
        burst.wait_for(acknowledgements)
        time.sleep(delay)

    return wait


def _told(record: Record) -> str:
    return (
        f"arrêts brutaux : {record.rounds} ; envois confirmés : {len(record.acknowledged)} ; "
        f"coupés : {len(record.cut)} ; déjà enregistrés sans réponse : {record.kept_unanswered} ; "
        f"enregistrés à la fin : {record.kept.total()} ; "
        f"perdus : {len(record.lost)} ; en double : {len(record.doubled)} ; "
        f"refusés : {len(record.refused)} ; base endommagée : {len(record.damage)}"
    )


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_ten_thousand_submissions_for_one_address_send_a_handful(app: Flask, sent: MemoryTransport) -> None:
    values = CheckedClient(app).page("/brochure").form("/brochure").values
    client = FlaskClient(app)

    statuses = {
        client.post("/brochure", data=values | BROCHURE | {"last_name": f"Nom {n}"}).status_code for n in range(10_000)
    }
    Worker(app).work()

    click.echo(f"\n10 000 envois pour une adresse : {len(sent.sent)} messages")
    assert statuses == {303}
    assert len(export(app)) == 10_000
    assert len(sent.sent) == 2 * DAILY_CAP
