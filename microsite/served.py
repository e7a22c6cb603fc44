"""What granian serves: the application, with its background worker in a thread of each process."""

import gc
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.util import Finalize

from . import create_app
from .jobs import Worker
from .processors import settled
from .web.errors import last_resort


def _end_with_parent() -> None:
    """Stop once the server's first process is gone: nobody else would tell this one, and its port would stay taken."""
    # As it was when this process began: it may be gone before this module is loaded.
    parent = multiprocessing.parent_process()
    while parent is None or os.getppid() == parent.pid:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _heed_stop() -> None:
    """Wait for SIGTERM here, and hand it to granian.

    Python would only note a signal that reaches another thread than the main one, and granian's main thread sleeps
    without end. The kernel gives it to whichever thread sets its mask first, as each does that starts another.
    """
    signal.sigwait({signal.SIGTERM})
    stop = signal.getsignal(signal.SIGTERM)
    if callable(stop):
        stop(signal.SIGTERM, None)
    else:
        # Granian doesn't serve yet.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        signal.raise_signal(signal.SIGTERM)


# Ctrl+C reaches every process of the terminal, and the parent then tells its workers to stop. Both signals are blocked
# for every thread, hence before the first one starts.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
signal.signal(signal.SIGTERM, signal.SIG_DFL)
threading.Thread(target=_heed_stop, daemon=True, name="stop").start()
app = create_app(with_commands=False)
settings = app.extensions["settings"]
application = last_resort(app.wsgi_app)
if settings.sqlalchemy_url.startswith("sqlite"):
    application = settled(application, settings.instance_path, processes=settings.workers)
app.wsgi_app = application  # type: ignore[assignment, method-assign]  # Flask's own way to add a middleware
app.extensions["static_files"].prepare()
# What is there by now stays: to go through it again takes a tenth of a second, in the middle of somebody's request.
gc.collect()
gc.freeze()
# New objects, and how often the younger ones are gone through before the older ones are. A request leaves some two
# hundred that only the collector finds: left for long, they are megabytes.
gc.set_threshold(1_000, 10, 10)
worker = Worker(app)
worker.start()
threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
app.extensions["log"].gather()
# granian's processes run these when they are told to stop, the higher ones first, and not what atexit holds.
Finalize(None, worker.finish, exitpriority=10)
Finalize(None, app.extensions["log"].stop_gathering, exitpriority=5)
