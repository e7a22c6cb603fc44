"""What the background worker does, and when: sends the mails that are due."""

import logging
import threading

from flask import Flask

from .db import UNAVAILABLE
from .outbox.delivery import Outcome, deliver_next

logger = logging.getLogger("microsite.jobs")

# Seconds between two looks when nothing was due, and when no mail could leave.
IDLE = 2.0
PAUSE = 30.0
# Seconds that a process which is told to stop gives the mail in hand.
_LAST_MAIL = 4.0


class Worker:
    """Works until it is told to stop; several may, in one process or many: each mail is claimed by one."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, daemon=True, name="jobs")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to stop; returns at once."""
        self._stopping.set()

    def join(self) -> None:
        """Until it has stopped, however long the mail in hand takes."""
        self._thread.join()

    def finish(self) -> None:
        """Stop, and wait a moment for the mail in hand: one that has left unnoted would be sent again."""
        self.stop()
        self._thread.join(_LAST_MAIL)

    def run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self.work())

    def work(self) -> float:
        """Do what is due now; the seconds to wait before the next look."""
        with self._app.app_context():
            try:
                return PAUSE if self.deliver() is Outcome.UNREACHABLE else IDLE
            except UNAVAILABLE as error:
                logger.warning("database unavailable: %s", type(error).__name__)
            except Exception:
                logger.exception("the background worker failed; it goes on")
            return PAUSE

    def deliver(self) -> Outcome:
        """Send what is due until nothing is, or nothing can leave. Needs an application context."""
        outcome = Outcome.DONE
        while outcome in (Outcome.DONE, Outcome.DEFERRED) and not self._stopping.is_set():
            outcome = deliver_next()
        return outcome
