"""kill -9 of the whole server amid a burst of visitors, again and again: what they were told, and what was kept."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

from flask import Flask

from microsite.db import db

from .answers import BROCHURE, add_slot, export
from .page import CheckedClient
from .served import Server, Visitor, started
from .trouble import integrity

VISITORS = 8
# As many as `serve` starts.
WORKERS = 2
PATHS = ("/brochure", "/portes-ouvertes")
_SEATS = 9999
# Seconds: only a server that has stopped answering takes as long.
_HUNG = 120

# What a browser meets when the server dies.
_CUT = (URLError, ConnectionError, HTTPException)


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One lead's form, ready to be sent, and sent again."""

    path: str
    email: str
    body: bytes


@dataclass
class Record:
    """All rounds so far; the thanked ones by e-mail. `cut`: the connection ended before the answer;
    `unanswered`: to be sent again; `kept_unanswered`: how many of those the database had all the same.
    """

    rounds: int = 0
    acknowledged: dict[str, Posting] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    unanswered: list[Posting] = field(default_factory=list)
    cut: list[Posting] = field(default_factory=list)
    kept_unanswered: int = 0
    damage: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    kept: Counter[str] = field(default_factory=Counter)

    @property
    def doubled(self) -> set[str]:
        return {email for email, count in self.kept.items() if count > 1}

    def note(self, posting: Posting, status: int) -> None:
        if status == 303:
            self.acknowledged[posting.email] = posting
        else:
            self.refused.append(status)


class Burst:
    """Visitors who send one lead after the other until the server is gone."""

    def __init__(self, site: str, leads: Iterator[Posting], record: Record) -> None:
        self._visitor = Visitor(site)
        self._leads = leads
        self._record = record
        self._acknowledgements = threading.Semaphore(0)

    def wait_for(self, acknowledgements: int) -> None:
        for _ in range(acknowledgements):
            if not self._acknowledgements.acquire(timeout=_HUNG):
                raise TimeoutError("the server acknowledges nothing any more")

    def visit(self) -> None:
        for posting in self._leads:
            try:
                status, _ = self._visitor.post(posting.path, posting.body)
            except _CUT as error:
                # Who finds nobody there hasn't been cut, but has no answer either.
                if not isinstance(getattr(error, "reason", error), ConnectionRefusedError):
                    self._record.cut.append(posting)
                self._record.unanswered.append(posting)
                return
            self._record.note(posting, status)
            self._acknowledgements.release()


# Returns when it is time to kill.
Moment = Callable[[Burst], None]


def after(acknowledgements: int) -> Moment:
    return lambda burst: burst.wait_for(acknowledgements)


def kill_at(moments: Iterable[Moment], app: Flask, environ: dict[str, str]) -> Record:
    """One server and one kill a moment. Who got no answer sends the same form to the next server."""
    record = Record()
    leads = _leads(app)
    for moment in moments:
        with started(environ, workers=WORKERS) as server:
            _catch_up(server, record, app)
            _kill_amid_burst(server, moment, Burst(server.site, leads, record))
        record.rounds += 1
    with started(environ, workers=WORKERS) as server:
        _catch_up(server, record, app)
    _compare(record, app)
    return record


def _kill_amid_burst(server: Server, moment: Moment, burst: Burst) -> None:
    with ThreadPoolExecutor(VISITORS) as pool:
        try:
            visits = [pool.submit(burst.visit) for _ in range(VISITORS)]
            moment(burst)
        finally:
            server.kill()
    for visit in visits:
        visit.result()


def _catch_up(server: Server, record: Record, app: Flask) -> None:
    """Look at what the kill left, then send again what got no answer."""
    _compare(record, app)
    record.kept_unanswered += sum(posting.email in record.kept for posting in record.unanswered)
    # Those who were thanked last reload the page, too.
    again = record.unanswered + list(record.acknowledged.values())[-VISITORS:]
    record.unanswered = []
    for posting in again:
        status, _ = Visitor(server.site).post(posting.path, posting.body)
        record.note(posting, status)


def _compare(record: Record, app: Flask) -> None:
    record.kept = Counter(row["email"] for row in export(app))
    record.lost |= record.acknowledged.keys() - record.kept.keys()
    with app.app_context():
        if db.engine.dialect.name == "sqlite" and (found := integrity(Path(app.instance_path))) != "ok":
            record.damage.append(found)
        # No connection stays open here: it would spare the next server what a killed one leaves to be mended.
        db.engine.dispose()


def _leads(app: Flask) -> Iterator[Posting]:
    """Without end, every one another person's; safe to draw from in several threads."""
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    slot = add_slot(app, capacity=_SEATS)
    forms = [client.page(path).form(path) for path in PATHS]

    def lead(number: int) -> Posting:
        form, email = forms[number % len(forms)], f"zoe{number}@exemple.fr"
        answers = BROCHURE | {"email": email, "slot": slot, "email_consent": "y"}
        return Posting(path=form.action, email=email, body=urlencode(form.filled(**answers)).encode())

    return map(lead, itertools.count())
