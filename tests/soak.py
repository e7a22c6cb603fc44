"""`make soak`: kill -9 at random moments for a bounded time. Not part of `make test`; a seed repeats the moments.

SOAK_SECONDS is for all engines together, SOAK_SEED is one that was printed.
"""

import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from flask import Flask
from sqlalchemy import select

from microsite.db import db, reading
from microsite.outbox.models import MailStatus, OutgoingMail

from .answers import complete_school
from .conftest import Environ
from .kills import WORKERS, Burst, Moment, Record, kill_at, kill_parent, kill_worker
from .load import send_the_rest
from .mail_server import MailServer
from .outbox.conftest import smtp_settings
from .postgres import find_programs
from .support.invariants import broken_invariants

SECONDS = float(os.environ.get("SOAK_SECONDS") or 60)
SEED = os.environ.get("SOAK_SEED") or secrets.token_hex(4)
# What a moment is drawn from: so many answers, then so many seconds.
_ANSWERS = 40
_DELAY = 0.05


def test_killed_at_random_moments_keeps_all_that_was_promised(
    make_app: Callable[..., Flask], environ: Environ, engine_name: str
) -> None:
    click.echo(f"\n{engine_name} : tirage {SEED} (les mêmes moments : make soak SOAK_SEED={SEED})")
    share = SECONDS / (2 if find_programs() else 1)
    complete_school(Path(environ["MICROSITE_INSTANCE_PATH"]))

    with MailServer() as server:
        settings = smtp_settings(server.port) | {"MICROSITE_NOTIFY_ADMISSIONS": "each"}
        app = make_app(**settings)
        record = kill_at(_moments(engine_name, until=time.monotonic() + share), app, environ | settings)
        broken = broken_invariants(app)
        send_the_rest(app)
        mails = _compare_mails(app, server)

    click.echo(_told(record, mails))
    assert broken == []
    assert record.faults == []
    assert record.kept.keys() == record.acknowledged.keys()
    # Each process has one mail in hand at most when it dies.
    assert mails.doubled <= record.killed.total() * WORKERS
    assert mails.unexplained == []


@dataclass(frozen=True, kw_only=True)
class Mails:
    """`doubled` left once more under the Message-ID that they had; `unexplained` are the ids of those that never left,
    or left more often than they were tried.
    """

    decided: int
    received: int
    doubled: int
    unexplained: list[int]


def _moments(engine_name: str, *, until: float) -> Iterator[Moment]:
    draw = random.Random(f"{SEED} {engine_name}")  # noqa: S311  # moments, not secrets
    while time.monotonic() < until:
        yield _moment(random.Random(draw.getrandbits(32)))  # noqa: S311


def _moment(draw: random.Random) -> Moment:
    def wait(burst: Burst) -> None:
        burst.wait_for(draw.randrange(_ANSWERS))
        time.sleep(draw.uniform(0, _DELAY))
        first = draw.choice(("worker", "parent", "all"))
        if first == "worker":
            kill_worker(burst, draw=draw.randrange(WORKERS))
            burst.wait_for(draw.randrange(_ANSWERS))
        elif first == "parent":
            kill_parent(burst)

    return wait


def _compare_mails(app: Flask, server: MailServer) -> Mails:
    times = Counter(message_id.strip("<>").rpartition("@")[0] for message_id in server.message_ids())
    left = select(OutgoingMail.id, OutgoingMail.key, OutgoingMail.attempts).filter_by(status=MailStatus.SENT)
    with app.app_context(), reading():
        mails = db.session.execute(left).all()
        unsent = db.session.scalars(select(OutgoingMail.id).filter_by(status=MailStatus.PENDING)).all()
    return Mails(
        decided=len(mails),
        received=times.total(),
        doubled=sum(count - 1 for count in times.values()),
        unexplained=[*unsent, *(mail_id for mail_id, key, attempts in mails if not 1 <= times[key] <= attempts)],
    )


def _told(record: Record, mails: Mails) -> str:
    killed = ", ".join(f"{kind} {count}" for kind, count in sorted(record.killed.items()))
    return (
        f"arrêts brutaux : {record.killed.total()} ({killed}) ; envois confirmés : {len(record.acknowledged)} ; "
        f"boutons confirmés : {len(record.pressed)} ; complets : {record.full} ; coupés : {len(record.cut)} ; "
        f"déjà enregistrés sans réponse : {record.kept_unanswered} ; enregistrés à la fin : {record.kept.total()} ; "
        f"perdus : {len(record.lost)} ; boutons perdus : {len(record.undone)} ; en double : {len(record.doubled)} ; "
        f"refusés : {len(record.refused)} ; base endommagée : {len(record.damage)} ; "
        f"messages : {mails.decided}, reçus {mails.received}, partis deux fois {mails.doubled}, "
        f"inexpliqués {len(mails.unexplained)}"
    )
