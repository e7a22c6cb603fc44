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


# Ctrl+C reaches every process of the terminal; a worker of granian 2.8 that its parent then tells to stop as well often
# never does. Blocked here, before any thread is started, for all of them.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
# Until granian listens for it, being told to stop would only be noted by what is left of its parent in this process.
signal.signal(signal.SIGTERM, signal.SIG_DFL)
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
