"""What granian serves: the application, with its background worker in a thread of each process."""

import gc
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.util import Finalize

from . import create_app
from .processors import settled
from .web.errors import last_resort
from .worker import Worker


def _end_with_parent() -> None:
    """Stop once the server's first process is gone: nobody else would tell this one, and its port would stay taken."""
    # As it was when this process began: it may be gone before this module is loaded.
    parent = multiprocessing.parent_process()
    while parent is None or os.getppid() == parent.pid:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _forward_sigterm() -> None:
    """Wait for SIGTERM in this thread and call granian's handler.

    Python runs signal handlers in the main thread, and granian's main thread sleeps until a signal wakes it. The kernel
    may deliver SIGTERM to another thread, which wakes nobody: the worker would go on.
    """
    signal.sigwait({signal.SIGTERM})
    stop = signal.getsignal(signal.SIGTERM)
    if callable(stop):
        stop(signal.SIGTERM, None)
    else:
        # granian has not set its handler yet: end as a process does by default.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        signal.raise_signal(signal.SIGTERM)


# Ctrl+C sends SIGINT to every process of the terminal, and the parent then sends SIGTERM to its workers. Threads
# inherit the signal mask, so both signals are blocked here, before the first thread starts.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
signal.signal(signal.SIGTERM, signal.SIG_DFL)
threading.Thread(target=_forward_sigterm, daemon=True, name="stop").start()
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
