"""Deciding, capping, claiming: one mail for a cause, one worker for a mail."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.brochures.services import BROCHURE_EMAIL
from microsite.db import db
from microsite.leads.notifications import DIGEST_EMAIL, NOTIFICATION_EMAIL
from microsite.outbox.delivery import Outcome, deliver_next
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.services import DAILY_CAP, LEASE, MAX_ATTEMPTS, claim, drop, enqueue, mark_dead, mark_sent
from microsite.outbox.transports import MemoryTransport
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import BROCHURE, export, only
from ..conftest import Environ
from ..page import CheckedClient

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)


def _statuses(app: Flask) -> Counter[MailStatus]:
    with app.app_context():
        return Counter(db.session.scalars(select(OutgoingMail.status)))


def _ask(client: CheckedClient, times: int = 1) -> None:
    for _ in range(times):
        client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))


def test_cause_and_template_make_one_mail(app: Flask) -> None:
    with app.app_context():
        for _ in range(2):
            enqueue(db.session(), DIGEST_EMAIL, cause="BRO-222222", now=NOW)
        enqueue(db.session(), NOTIFICATION_EMAIL, cause="BRO-222222", now=NOW)
        db.session.commit()

    assert _statuses(app) == {MailStatus.PENDING: 2}


def test_flood_for_one_address_sends_a_handful_and_counts_the_rest(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    _ask(client, times=40)
    Worker(app).run("mails")

    # To the person, and to admissions about the person.
    assert len(sent.sent) == 2 * DAILY_CAP
    assert _statuses(app) == {MailStatus.SENT: 2 * DAILY_CAP, MailStatus.SUPPRESSED: 80 - 2 * DAILY_CAP}
    assert len(export(app)) == 40
    listed = app.test_cli_runner().invoke(args=["outbox", "list", "--limit", "1"]).output
    assert f"retenu, trop pour une adresse : {80 - 2 * DAILY_CAP}" in listed


def test_cap_ends_after_a_day(client: CheckedClient, app: Flask) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        _ask(client, times=DAILY_CAP + 1)
        clock.shift(timedelta(days=1))
        _ask(client)

    assert _statuses(app)[MailStatus.SUPPRESSED] == 2


def test_same_form_sent_twice_is_one_mail(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")
    for _ in range(2):
        client.follow(client.send(form, **BROCHURE))

    assert _statuses(app) == {MailStatus.PENDING: 2}  # the person's and admissions'


def test_workers_that_run_together_send_each_mail_once(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    for number in range(12):
        client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"email": f"zoe{number}@exemple.fr"})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda worker: worker.run("mails"), [Worker(app) for _ in range(4)]))

    assert len(sent.sent) == 24
    assert len({message["Message-ID"] for message in sent.sent}) == 24
    assert _statuses(app) == {MailStatus.SENT: 24}


def test_mail_of_a_worker_that_died_falls_due_again_after_the_lease(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    with time_machine.travel(NOW, tick=False) as clock, app.app_context():
        enqueue(db.session(), DIGEST_EMAIL, cause="x", now=NOW)
        db.session.commit()
        first = claim(db.session(), now=NOW)
        db.session.commit()

        assert first is not None
        assert claim(db.session(), now=NOW + LEASE - timedelta(seconds=1)) is None
        clock.shift(LEASE)
        second = claim(db.session(), now=NOW + LEASE)
        db.session.commit()

    assert second is not None
    assert (second.id, second.key, second.attempts) == (first.id, first.key, 2)


def test_mail_that_ends_every_worker_is_given_up(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    with time_machine.travel(NOW, tick=False) as clock, app.app_context():
        enqueue(db.session(), DIGEST_EMAIL, cause="x", now=NOW)
        for attempt in range(MAX_ATTEMPTS):
            held = claim(db.session(), now=utc_now())
            db.session.commit()
            assert held is not None, attempt
            clock.shift(LEASE)

        assert deliver_next() is Outcome.NOTHING_DUE

    assert _statuses(app) == {MailStatus.DEAD: 1}


def test_mail_dropped_while_it_is_tried_stays_dropped_unless_it_left(app: Flask) -> None:
    with app.app_context():
        for cause in ("left", "failed"):
            enqueue(db.session(), DIGEST_EMAIL, cause=cause, now=NOW)
        left, failed = claim(db.session(), now=NOW), claim(db.session(), now=NOW)
        assert left is not None
        assert failed is not None
        for mail in db.session.scalars(select(OutgoingMail)):
            drop(mail)
        mark_sent(db.session(), left, now=NOW)
        mark_dead(db.session(), failed, "550")
        db.session.commit()

    assert _statuses(app) == {MailStatus.SENT: 1, MailStatus.DROPPED: 1}


def test_broken_template_holds_no_other_mail_up(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    with app.app_context():
        enqueue(db.session(), DIGEST_EMAIL, cause="no period", now=utc_now())
        db.session.commit()
    _ask(client)

    Worker(app).run("mails")

    assert len(sent.sent) == 2
    assert _statuses(app) == {MailStatus.SENT: 2, MailStatus.PENDING: 1}


def test_mail_whose_cause_has_gone_is_dropped(app: Flask, sent: MemoryTransport) -> None:
    with app.app_context():
        enqueue(db.session(), BROCHURE_EMAIL, cause="BRO-222222", now=utc_now())
        db.session.commit()
        assert deliver_next() is Outcome.DONE

    assert sent.sent == []
    assert _statuses(app) == {MailStatus.DROPPED: 1}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_without_smtp_mails_are_private_files(client: CheckedClient, app: Flask, environ: Environ) -> None:
    _ask(client)

    result = app.test_cli_runner().invoke(args=["outbox", "run", "--once"])

    assert result.exit_code == 0, result.output
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "mails"
    files = sorted(folder.glob("*.eml"))
    assert [path.name.split(".")[1] for path in files] == ["brochure", "notification"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "Subject: Votre brochure de l’ÉSEC" in files[0].read_text()


def test_commands_retry_and_drop_what_has_not_left(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _ask(client, times=DAILY_CAP + 1)
    Worker(app).run("mails")
    with app.app_context():
        held = list(db.session.scalars(select(OutgoingMail.id).filter_by(status=MailStatus.SUPPRESSED)))
    runner = app.test_cli_runner()

    retried = runner.invoke(args=["outbox", "retry", str(held[0])])
    dropped = runner.invoke(args=["outbox", "drop", str(held[1])])
    refused = runner.invoke(args=["outbox", "drop", "1", "999"])
    Worker(app).run("mails")

    assert (retried.exit_code, dropped.exit_code, refused.exit_code) == (0, 0, 1)
    assert "1 : déjà envoyé" in refused.stderr
    assert "999 : numéro inconnu" in refused.stderr
    assert _statuses(app) == {MailStatus.SENT: 2 * DAILY_CAP + 1, MailStatus.DROPPED: 1}
    assert runner.invoke(args=["outbox", "retry"]).exit_code == 2
    assert only([line for line in runner.invoke(args=["outbox", "list"]).output.splitlines() if "BRO-" in line])
