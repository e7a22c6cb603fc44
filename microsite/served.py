"""What granian serves: the application, with its background worker in a thread of each process."""

from multiprocessing.util import Finalize

from . import create_app
from .jobs import Worker

app = create_app()
app.extensions["static_files"].prepare()
worker = Worker(app)
worker.start()
# granian's processes run these when they are told to stop, and not what atexit holds.
Finalize(None, worker.finish, exitpriority=10)
