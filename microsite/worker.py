"""The background worker of each process of the server: THREADS says what it does, and how often."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from flask import Flask

from .campaigns.counting import current_counter
from .db import UNAVAILABLE, db, reading, writing
from .exclusive import exclusive
from .open_days.followups import due_slots, follow_slot, is_anyone_to_tell, tell_of_new_dates
from .outbox import MAILS_FOLDER
from .outbox.delivery import Outcome, deliver_next, give_back_unsent
from .privacy.cleanup import clean_up, is_cleanup_pending
from .privacy.data_requests import answer_access, is_access_asked
from .privacy.purge import LOCK as PURGE_LOCK
from .privacy.purge import Purge, is_turn, run
from .web.context import current_settings, utc_now

logger = logging.getLogger("microsite.worker")

# Seconds that a process which is told to stop gives to its jobs: granian ends it soon after (cli/serve.py).
_STOP_SECONDS = 4.0
# Seconds until mails are tried again while none can leave.
MAIL_RETRY_SECONDS = 30.0

IsStopping = Callable[[], bool]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Job:
    """`run` needs an application context, and returns early once the worker is stopping.

    It returns the seconds until its next run where these differ from `every`; `retry_after` are those after an error.
    `lock` names the lock of a job that one process runs at a time, of all that share the database: the others skip it.
    """

    name: str
    run: Callable[[IsStopping], float | None]
    every: float
    retry_after: float | None = None
    lock: str | None = None
    is_last_at_stop: bool = False


def send_mails(is_stopping: IsStopping) -> float | None:
    """Answer who asks for a link to their page, then send the mails that are due, until none is or none can leave."""
    run_logged(partial(decide_access_mails, is_stopping))
    return MAIL_RETRY_SECONDS if deliver_due(is_stopping) is Outcome.UNREACHABLE else None


def decide_access_mails(is_stopping: IsStopping) -> None:
    with reading():
        is_asked = is_access_asked(db.session())
    while is_asked and not is_stopping():
        with writing():
            is_asked = answer_access(db.session(), now=utc_now()) > 0


def deliver_due(is_stopping: IsStopping) -> Outcome:
    outcome = Outcome.DONE
    while outcome in (Outcome.DONE, Outcome.DEFERRED) and not is_stopping():
        outcome = deliver_next()
    return outcome


def follow_open_days(is_stopping: IsStopping) -> None:
    """End offers, promote waiting lists and decide reminders, each slot by itself: an error in one stops no other."""
    with reading():
        slots = due_slots(db.session(), now=utc_now())
    for slot_id in slots:
        if is_stopping():
            return
        run_logged(partial(_follow_slot, slot_id))
    while not is_stopping() and _announce_new_dates():
        pass


def write_view_counts(_is_stopping: IsStopping) -> None:
    """Add the views counted since the last time to the database; those that can't be written wait for the next one."""
    current_counter().flush()


def purge(is_stopping: IsStopping) -> None:
    """Remove what has passed its retention period: once a night, or as soon as a process runs after a missed one."""
    mails = current_settings().instance_path / MAILS_FOLDER
    nightly = Purge(mails=mails, clock=utc_now, is_stopping=is_stopping)
    removed = sum(step.count for step in run(nightly)) if is_turn(nightly) else 0
    if removed:
        logger.info("purged %d rows or files", removed)


def clean_up_files(_is_stopping: IsStopping) -> None:
    """Remove what deleted rows have left in files."""
    with reading():
        is_any = is_cleanup_pending(db.session())
    if is_any:
        clean_up(current_settings().instance_path, now=utc_now())


# By the thread that runs them. A mail may take two minutes, and offers end on time: mails have a thread of their own.
THREADS: Mapping[str, Sequence[Job]] = {
    "mails": (Job(name="mails", run=send_mails, every=2.0, retry_after=MAIL_RETRY_SECONDS),),
    "jobs": (
        Job(name="open days", run=follow_open_days, every=5.0),
        # A process that is killed loses the views of at most so many seconds.
        Job(name="views", run=write_view_counts, every=5.0, is_last_at_stop=True),
        Job(name="purge", run=purge, every=60.0, lock=PURGE_LOCK),
        Job(name="cleanup", run=clean_up_files, every=60.0, lock=PURGE_LOCK),
    ),
}


class Worker:
    """Runs jobs until it is told to stop. Any number of processes may have one."""

    def __init__(self, app: Flask, jobs: Mapping[str, Sequence[Job]] = THREADS) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._jobs = {job.name: job for group in jobs.values() for job in group}
        self._threads = [
            threading.Thread(target=self._run_all, args=(group,), daemon=True, name=name)
            for name, group in jobs.items()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask it to stop, and return at once."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until it has stopped, however long the mail that is being sent takes."""
        for thread in self._threads:
            thread.join()

    def finish(self) -> None:
        """Stop within _STOP_SECONDS; the mail that is being sent is given back unless it may have left."""
        self.stop()
        self._give_back_unsent()
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        # One that was being claimed the first time.
        self._give_back_unsent()

    def run(self, name: str) -> float:
        """Run one job now; return the seconds until it is due again. Errors are logged."""
        job = self._jobs[name]
        with self._app.app_context():
            is_done, pause = run_logged(partial(self._run_alone, job))
        return (pause or job.every) if is_done else (job.retry_after or job.every)

    def _run_alone(self, job: Job) -> float | None:
        if job.lock is None:
            return job.run(self._stopping.is_set)
        with exclusive(db.engine, current_settings().instance_path, job.lock) as is_free:
            return job.run(self._stopping.is_set) if is_free else None

    def _run_all(self, jobs: Sequence[Job]) -> None:
        due_at = {job.name: time.monotonic() for job in jobs}
        while True:
            name = min(due_at, key=due_at.__getitem__)
            if self._stopping.wait(max(0, due_at[name] - time.monotonic())):
                break
            due_at[name] = self.run(name) + time.monotonic()
        for job in jobs:
            if job.is_last_at_stop:
                self.run(job.name)

    def _give_back_unsent(self) -> None:
        with self._app.app_context():
            run_logged(give_back_unsent)


def run_logged(work: Callable[[], T]) -> tuple[bool, T | None]:
    """Run `work`, log its error if it has one, and return whether it succeeded and its result."""
    try:
        return True, work()
    except UNAVAILABLE as error:
        logger.warning("database unavailable: %s", type(error).__name__)
    except Exception:
        logger.exception("a background job failed; the worker goes on")
    return False, None


def _follow_slot(slot_id: int) -> None:
    with writing():
        follow_slot(db.session(), slot_id, now=utc_now())


def _announce_new_dates() -> bool:
    """Decide a batch of mails about new dates, and return whether more may be left."""
    with reading():
        if not is_anyone_to_tell(db.session(), now=utc_now()):
            return False
    with writing():
        tell_of_new_dates(db.session(), now=utc_now())
    return True
