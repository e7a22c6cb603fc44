"""`make soak`: kill -9 at random moments for a bounded time. Not part of `make test`; a seed repeats the moments.

SOAK_SECONDS is for all engines together, SOAK_SEED is one that was printed.
"""

import os
import random
import secrets
import time
from collections.abc import Iterator

import click
from flask import Flask

from .conftest import Environ
from .kills import Burst, Moment, Record, kill_at
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
