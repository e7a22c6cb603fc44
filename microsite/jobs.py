"""What the background worker does, and when.

Answers who asks for a link, and sends the mails that are due; follows the open days, whose offers end and whose
reminders fall due; writes down how often pages were seen; prepares exports; removes each night what has had its time.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from flask import Flask

from .campaigns.counting import current_counter
from .db import UNAVAILABLE, db, reading, writing
from .exports.preparing import Workshop, folder_of, gather_all, prepare_next, sweep
from .open_days.followups import due_slots, follow_slot, is_anyone_to_tell, tell_of_new_dates
from .outbox import MAILS_FOLDER
from .outbox.delivery import Outcome, deliver_next, give_back_unsent
from .privacy.cleanup import clean_up, is_cleanup_pending
from .privacy.data_requests import answer_access, is_access_asked
from .privacy.purge import Purge, is_turn, run
from .privacy.runs import AlreadyRunning, TakenOver
from .web.context import current_school, current_settings, utc_now

logger = logging.getLogger("microsite.jobs")

# Seconds between two looks when nothing was due, and when no mail could leave.
IDLE = 2.0
PAUSE = 30.0
# Seconds between two times that views are written down: what a process that is killed loses of them.
COUNT_EVERY = 5.0
# Seconds between two looks at the open days: how long seats stay with an offer that has ended.
FOLLOW_EVERY = 5.0
# Seconds between two looks for exports that were asked for.
EXPORT_EVERY = 2.0
# Seconds between two looks whether the night's purge is to be done.
PURGE_EVERY = 60.0
# Seconds that a process which is told to stop gives what its threads are at: granian ends it soon after (cli/serve.py).
_LAST_THINGS = 4.0


Result = TypeVar("Result")


class Worker:
    """Works until it is told to stop; several may, in one process or many: each mail is claimed by one.

    Open days, views, exports and the purge have threads of their own, since a mail may take two minutes.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self.run, daemon=True, name="jobs"),
            threading.Thread(target=self.follow, daemon=True, name="open days"),
            threading.Thread(target=self.count, daemon=True, name="views"),
            threading.Thread(target=self.export, daemon=True, name="exports"),
            threading.Thread(target=self.keep_to_delays, daemon=True, name="purge"),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask it to stop; returns at once."""
        self._stopping.set()

    def join(self) -> None:
        """Until it has stopped, however long the mail in hand takes."""
        for thread in self._threads:
            thread.join()

    def finish(self) -> None:
        """Stop; give the mail in hand back unless it may have left; wait a moment for that one and the last views."""
        self.stop()
        self._attempt(give_back_unsent)
        deadline = time.monotonic() + _LAST_THINGS
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        # One that was being claimed the first time.
        self._attempt(give_back_unsent)

    def run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self.work())

    def follow(self) -> None:
        """Look after the open days every few seconds."""
        while not self._stopping.wait(FOLLOW_EVERY):
            self.follow_open_days()

    def count(self) -> None:
        """Write the views down every few seconds, and once more at the end."""
        while not self._stopping.wait(COUNT_EVERY):
            self.flush()
        self.flush()

    def export(self) -> None:
        """Look for exports every few seconds."""
        while not self._stopping.wait(EXPORT_EVERY):
            self.work_on_exports()

    def keep_to_delays(self) -> None:
        """Look every minute whether the night's purge is to be done, and for what deleted rows have left behind."""
        while not self._stopping.wait(PURGE_EVERY):
            self._attempt(self.purge)
            self._attempt(_clean_up)

    def work(self) -> float:
        """Send what is due now; the seconds to wait before the next look."""
        self._attempt(self.give_access)
        return PAUSE if self._attempt(self.deliver) in (Outcome.UNREACHABLE, None) else IDLE

    def follow_open_days(self) -> None:
        """Do what is due now, each slot by itself: one that fails is told, and tried again at the next look."""
        for slot_id in self._attempt(_due_slots) or ():
            if self._stopping.is_set():
                return
            self._attempt(partial(_follow_slot, slot_id))
        while not self._stopping.is_set() and self._attempt(_tell_some_of_new_dates):
            pass

    def work_on_exports(self) -> None:
        """Put what began to count in its place, prepare what was asked for, remove what had its time."""
        self._attempt(lambda: gather_all(self._workshop()))
        while not self._stopping.is_set() and self._attempt(lambda: prepare_next(self._workshop())):
            pass
        self._attempt(lambda: sweep(self._workshop()))

    def flush(self) -> None:
        """Write down the views counted since the last time; those that can't be written wait for the next one."""
        self._attempt(lambda: current_counter().flush())

    def _attempt(self, job: Callable[[], Result]) -> Result | None:
        """What the job gives; None for one that fails, which is told and doesn't end the worker."""
        with self._app.app_context():
            try:
                return job()
            except UNAVAILABLE as error:
                logger.warning("database unavailable: %s", type(error).__name__)
            except Exception:
                logger.exception("the background worker failed; it goes on")
            return None

    def _workshop(self) -> Workshop:
        return Workshop(
            folder=folder_of(current_settings().instance_path),
            school=current_school(),
            clock=utc_now,
            is_stopping=self._stopping.is_set,
        )

    def give_access(self) -> None:
        """Decide the mails to those who asked for a link to their page. Needs an application context."""
        with reading():
            is_asked = is_access_asked(db.session())
        while is_asked and not self._stopping.is_set():
            with writing():
                is_asked = answer_access(db.session(), now=utc_now()) > 0

    def purge(self) -> None:
        """Remove what has had its time, once a night, whichever process comes first. Needs an application context."""
        mails = current_settings().instance_path / MAILS_FOLDER
        purge = Purge(mails=mails, clock=utc_now, is_stopping=self._stopping.is_set)
        try:
            gone = sum(step.count for step in run(purge)) if is_turn(purge) else 0
        except (AlreadyRunning, TakenOver):
            return
        if gone:
            logger.info("purged what has had its time: %d rows or files", gone)

    def deliver(self) -> Outcome:
        """Send what is due until nothing is, or nothing can leave. Needs an application context."""
        outcome = Outcome.DONE
        while outcome in (Outcome.DONE, Outcome.DEFERRED) and not self._stopping.is_set():
            outcome = deliver_next()
        return outcome


def _due_slots() -> list[int]:
    # Looking takes no place in the writers' line.
    with reading():
        return due_slots(db.session(), now=utc_now())


def _clean_up() -> None:
    with reading():
        is_pending = is_cleanup_pending(db.session())
    if is_pending:
        clean_up(current_settings().instance_path, now=utc_now())


def _follow_slot(slot_id: int) -> None:
    with writing():
        follow_slot(db.session(), slot_id, now=utc_now())


def _tell_some_of_new_dates() -> bool:
    """Whether there was anybody to tell: others may be left."""
    with reading():
        if not is_anyone_to_tell(db.session(), now=utc_now()):
            return False
    with writing():
        tell_of_new_dates(db.session(), now=utc_now())
    return True
