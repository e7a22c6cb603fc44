"""kill -9 of a server's processes amid a burst of visitors, again and again: what they were told, and what was kept."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError

from flask import Flask

from microsite.db import db

from .load import Load, Posting, kept_emails, mixed_load, undone_presses
from .served import Server, Visitor, started
from .trouble import integrity

VISITORS = 8
# As many as `serve` starts.
WORKERS = 2
# Seconds: only a server that has stopped answering takes as long.
_HUNG = 120
# Seconds for which workers go on without their parent.
_ORPHANED = 0.3

# What a browser meets when the server dies.
_CUT = (URLError, ConnectionError, HTTPException)


@dataclass
class Record:
    """All rounds so far; who was thanked by e-mail, buttons answered by reference. `cut`: the connection ended before
    the answer; `unanswered`: to be sent again; `kept_unanswered`: how many of those the database had all the same.
    """

    rounds: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, Posting] = field(default_factory=dict)
    pressed: dict[str, Posting] = field(default_factory=dict)
    full: int = 0
    refused: list[int] = field(default_factory=list)
    unanswered: list[Posting] = field(default_factory=list)
    cut: list[Posting] = field(default_factory=list)
    kept_unanswered: int = 0
    damage: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)
    kept: Counter[str] = field(default_factory=Counter)

    @property
    def doubled(self) -> set[str]:
        return {email for email, count in self.kept.items() if count > 1}

    @property
    def faults(self) -> list[object]:
        """Nothing, if all is as it was promised."""
        return [*self.lost, *self.undone, *self.doubled, *self.refused, *self.damage]

    def note(self, posting: Posting, status: int) -> None:
        if status == 303:
            (self.pressed if posting.is_button else self.acknowledged)[posting.key] = posting
        elif status == 422 and posting.may_be_full:
            self.full += 1
        else:
            self.refused.append(status)


class Burst:
    """Visitors who send one thing after the other until the server is gone."""

    def __init__(self, server: Server, load: Load, record: Record) -> None:
        self.server = server
        self.record = record
        self._visitor = Visitor(server.site)
        self._load = load
        self._answers = threading.Semaphore(0)

    def wait_for(self, answers: int) -> None:
        for _ in range(answers):
            if not self._answers.acquire(timeout=_HUNG):
                raise TimeoutError("the server answers nothing any more")

    def visit(self) -> None:
        while True:
            posting = self._load.next()
            try:
                status, _ = self._visitor.post(posting.path, posting.body)
            except _CUT as error:
                self.record.unanswered.append(posting)
                # Who finds nobody there hasn't been cut, but has no answer either.
                if isinstance(getattr(error, "reason", error), ConnectionRefusedError):
                    return
                self.record.cut.append(posting)
            else:
                self.record.note(posting, status)
                self._answers.release()


# Returns when it is time to end the round; what it kills before is noted.
Moment = Callable[[Burst], None]


def after(answers: int) -> Moment:
    return lambda burst: burst.wait_for(answers)


def kill_worker(burst: Burst, *, draw: int) -> None:
    """One of those that serve, mail and follow the open days; the server starts another one."""
    workers = burst.server.workers()
    burst.server.kill_one(workers[draw % len(workers)])
    burst.record.killed["worker"] += 1


def kill_parent(burst: Burst) -> None:
    burst.server.kill_one(burst.server.process.pid)
    burst.record.killed["parent"] += 1
    time.sleep(_ORPHANED)


def kill_at(moments: Iterable[Moment], app: Flask, environ: dict[str, str]) -> Record:
    """One server a moment, all of whose processes are killed then. Who got no answer sends the same once more."""
    record = Record()
    load = mixed_load(app)
    for moment in moments:
        with started(environ, workers=WORKERS) as server:
            _catch_up(server, record, app)
            load.look_for_buttons(app)
            _let_go(app)
            _kill_amid_burst(moment, Burst(server, load, record))
        record.rounds += 1
    with started(environ, workers=WORKERS) as server:
        _catch_up(server, record, app)
    _compare(record, app)
    return record


def _kill_amid_burst(moment: Moment, burst: Burst) -> None:
    with ThreadPoolExecutor(VISITORS) as pool:
        try:
            visits = [pool.submit(burst.visit) for _ in range(VISITORS)]
            moment(burst)
        finally:
            burst.server.kill()
            burst.record.killed["all"] += 1
    for visit in visits:
        visit.result()


def _catch_up(server: Server, record: Record, app: Flask) -> None:
    """Look at what the kill left, then send again what got no answer."""
    _compare(record, app)
    record.kept_unanswered += sum(posting.key in record.kept for posting in record.unanswered)
    # Those who were thanked last reload the page, too.
    again = record.unanswered + list(record.acknowledged.values())[-VISITORS:]
    record.unanswered = []
    for posting in again:
        status, _ = Visitor(server.site).post(posting.path, posting.body)
        record.note(posting, status)


def _compare(record: Record, app: Flask) -> None:
    record.kept = Counter(kept_emails(app))
    record.lost |= record.acknowledged.keys() - record.kept.keys()
    record.undone |= undone_presses(app, record.pressed)
    with app.app_context():
        if db.engine.dialect.name == "sqlite" and (found := integrity(Path(app.instance_path))) != "ok":
            record.damage.append(found)
    _let_go(app)


def _let_go(app: Flask) -> None:
    # No connection stays open here: it would spare the next server what a killed one leaves to be mended.
    with app.app_context():
        db.engine.dispose()
