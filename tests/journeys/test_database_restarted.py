"""PostgreSQL restarted under load, each way that there is: a clear page, nothing lost, and no restart of the site."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select

from microsite import create_app
from microsite.db import db
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.web.errors import RETRY_AFTER

from ..answers import BROCHURE, complete_school, export
from ..conftest import Environ
from ..load import send_the_rest
from ..mail_server import MailServer
from ..outbox.conftest import smtp_settings
from ..page import CheckedClient, Form
from ..postgres import Cluster, create_database, find_programs
from ..served import Visitor, served
from ..support.invariants import broken_invariants
from ..waiting import wait_until

VISITORS = 4
_HUNG = 60


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """One of its own: the others' tests go on."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs aren't installed")
    cluster = Cluster(programs)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def postgresql_url(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database in it, in place of the one that other tests use."""
    create_database(cluster.url("postgres"), "site")
    url = cluster.url("site")
    app = create_app({"MICROSITE_INSTANCE_PATH": str(tmp_path_factory.mktemp("migrated")), "DATABASE_URL": url})
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return url


@dataclass
class Crowd:
    """Visitors who send one form after the other; who is told to try again does, with the form that came back."""

    visitor: Visitor
    form: Form
    is_over: threading.Event = field(default_factory=threading.Event)
    thanked: list[str] = field(default_factory=list)
    refusals: int = 0
    faults: list[object] = field(default_factory=list)

    def visit(self, name: int) -> None:
        number = 0
        while not self.is_over.is_set():
            number += 1
            email = f"zoe{name}-{number}@exemple.fr"
            self._send(Form(self.form.action, self.form.filled(**BROCHURE | {"email": email})), email)

    def _send(self, form: Form, email: str) -> None:
        page = self.visitor.send(form)
        while page.status == 503:
            self.refusals += 1
            again = page.form(form.action)
            if (page.response.headers["Retry-After"], again.values["email"]) != (str(RETRY_AFTER), email):
                self.faults.append((page.response.headers, again.values))
            time.sleep(0.1)
            page = self.visitor.send(again)
        if page.status == 303:
            self.thanked.append(email)
        else:
            self.faults.append(page.status)

    def wait_for_thanks(self) -> None:
        """More of them than are on their way."""
        before = len(self.thanked)
        wait_until(lambda: len(self.thanked) > before + VISITORS, "visitors are thanked again", patience=_HUNG)

    def wait_for_refusals(self) -> None:
        before = self.refusals
        wait_until(lambda: self.refusals > before, "a visitor is told to try again")


@pytest.mark.parametrize("engine_name", ["postgresql"])
@pytest.mark.slow
def test_restarted_database_loses_nothing_and_the_site_recovers_by_itself(
    make_app: Callable[..., Flask], environ: Environ, cluster: Cluster
) -> None:
    complete_school(Path(environ["MICROSITE_INSTANCE_PATH"]))
    with MailServer() as mails:
        environ |= smtp_settings(mails.port)
        app = make_app(**environ)
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        form = client.page("/brochure").form("/brochure")
        with served(environ) as site, ThreadPoolExecutor(VISITORS) as pool:
            crowd = Crowd(Visitor(site), form)
            visits = [pool.submit(crowd.visit, name) for name in range(VISITORS)]
            try:
                crowd.wait_for_thanks()
                for mode, stays_away in (("fast", False), ("immediate", False), ("fast", True)):
                    _restart(cluster, crowd, mode, stays_away=stays_away)
            finally:
                crowd.is_over.set()
            for visit in visits:
                visit.result(_HUNG)
            _wait_until_sent(app)
        send_the_rest(app)

    assert crowd.faults == []
    assert Counter(row["email"] for row in export(app)) == Counter(crowd.thanked)
    assert broken_invariants(app) == []
    assert set(mails.recipients) == set(crowd.thanked)


def _restart(cluster: Cluster, crowd: Crowd, mode: str, *, stays_away: bool) -> None:
    """Until the site takes forms again; the article is read all the while."""
    cluster.go_away(mode)
    if stays_away:
        crowd.wait_for_refusals()
        assert crowd.visitor.page("/").status == 200
    cluster.come_back()
    crowd.wait_for_thanks()


def _wait_until_sent(app: Flask) -> None:
    """But for what was in hand when the database went: that waits for its lease to end."""
    waiting = select(OutgoingMail.id).filter_by(status=MailStatus.PENDING, attempts=0).limit(1)

    def is_sent() -> bool:
        with app.app_context():
            return db.session.scalar(waiting) is None

    wait_until(is_sent, "no mail waits any more", patience=_HUNG)
