"""Acknowledged means kept: many at once over several processes, one seat for twenty, and kill -9 amid a burst."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from microsite.db import db
from microsite.open_days.queries import all_slots
from microsite.open_days.refusals import FULL

from ..answers import BROCHURE, export, only, plan_slot
from ..conftest import Environ
from ..kills import after, kill_at
from ..page import CheckedClient, Page
from ..served import Visitor, served
from ..support.invariants import broken_invariants

pytestmark = pytest.mark.slow


def test_200_parallel_posts_over_4_processes_give_200_submissions(
    client: CheckedClient, app: Flask, environ: Environ
) -> None:
    form = client.page("/brochure").form("/brochure")
    emails = [f"zoe{number}@exemple.fr" for number in range(200)]

    ready = threading.Barrier(200)

    def ask(email: str) -> Page:
        ready.wait()
        return Visitor(site).send(form, **BROCHURE | {"email": email})

    with served(environ, workers=4) as site, ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(ask, emails))

    assert [page.status for page in answers] == [303] * 200
    assert sorted(row["email"] for row in export(app)) == sorted(emails)


def test_20_parallel_registrations_for_one_seat_give_one_seat(
    client: CheckedClient, app: Flask, environ: Environ
) -> None:
    slot = plan_slot(app, capacity=1)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    ready = threading.Barrier(20)

    def register(number: int) -> Page:
        ready.wait()
        return Visitor(site).send(form, **BROCHURE | {"email": f"zoe{number}@exemple.fr"}, slot=slot)

    with served(environ, workers=4) as site, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(register, range(20)))

    refused = [page for page in answers if page.status == 422]
    assert sorted(page.status for page in answers) == [303] + [422] * 19
    assert {page.errors()["slot"] for page in refused} == {FULL}
    only(export(app))
    with app.app_context():
        assert [slot.taken for slot in all_slots(db.session())] == [1]


@pytest.mark.parametrize(("engine_name", "kills"), [("sqlite", 10), ("postgresql", 3)])
def test_killed_again_and_again_amid_a_burst_loses_and_doubles_nobody(app: Flask, environ: Environ, kills: int) -> None:
    moments = [after(answers) for answers in range(1, 4 * kills, 4)]

    record = kill_at(moments, app, environ)

    assert record.rounds == kills
    assert record.cut != []
    assert record.faults == []
    assert record.unanswered == []
    assert record.kept == Counter(record.acknowledged.keys())
    assert sorted(row["email"] for row in export(app)) == sorted(record.acknowledged)
    assert broken_invariants(app) == []
