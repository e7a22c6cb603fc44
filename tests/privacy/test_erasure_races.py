"""Erasures at the same moment as others': nothing half-erased, no error for who sends a form meanwhile."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from microsite.db import db
from microsite.leads.models import Lead, Submission

from ..page import CheckedClient
from .owners import ask_brochure, rows
from .test_erasure import erase_now

pytestmark = pytest.mark.slow

_ROUNDS = 6


def _at_once(*jobs: Callable[[], None]) -> list[BaseException]:
    """Begin all of them at one moment; what they raised."""
    gate, failures = threading.Barrier(len(jobs)), list[BaseException]()

    def run(job: Callable[[], None]) -> None:
        gate.wait()
        try:
            job()
        except BaseException as error:  # told by the test
            failures.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_form_sent_during_two_erasures_is_kept_whole_or_erased_whole(app: Flask, client: CheckedClient) -> None:
    for number in range(_ROUNDS):
        ask_brochure(client, email_consent="y")
        erase, send = lambda: erase_now(app, "zoe@exemple.fr"), lambda: ask_brochure(_browser(app), email_consent="y")

        assert _at_once(erase, send, erase) == []

        found = rows(app)
        with app.app_context():
            known = {lead.id for lead in db.session.scalars(select(Lead))}
            assert {sent.lead_id for sent in db.session.scalars(select(Submission))} == known, number
        assert len(known) <= 1
        assert {word.lead_id for word in found["lead_words"]} == known
        assert {consent.lead_id for consent in found["consents"]} == known
        assert len(found["erased_addresses"]) == 1


def _browser(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client
