"""Background jobs: how often each runs, alone or not, and what an error in one does to the others."""

import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from microsite.config import PROJECT_ROOT
from microsite.db import Base, db, writing
from microsite.exclusive import exclusive
from microsite.worker import THREADS, IsStopping, Job, Worker

from .waiting import PATIENCE, wait_until

# Takes the lock, says so, and holds it until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
from microsite import create_app
from microsite.db import Base, db, writing
from microsite.exclusive import exclusive
app = create_app()
with app.app_context(), exclusive(db.engine, Path(app.instance_path), "purge") as is_free:
    print(is_free, flush=True)
    time.sleep(600)
"""


def test_killed_process_leaves_its_lock_free(app: Flask, environ: dict[str, str]) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], env={**os.environ, **environ}, cwd=PROJECT_ROOT, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    try:
        held = holder.stdout.readline()
        is_free_meanwhile = _is_free(app)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()

    assert (held, is_free_meanwhile) == (b"True\n", False)
    # PostgreSQL notices a moment later that its client is gone.
    wait_until(lambda: _is_free(app), "the lock is free")


def test_lock_of_one_job_leaves_another_one_free(app: Flask) -> None:
    folder = Path(app.instance_path)
    with (
        app.app_context(),
        exclusive(db.engine, folder, "one") as first,
        exclusive(db.engine, folder, "other") as other,
    ):
        assert (first, other) == (True, True)


def test_job_that_fails_is_logged_and_stops_no_other(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    ran = threading.Event()

    def fail(_is_stopping: IsStopping) -> None:
        raise ValueError("broken")

    def note(_is_stopping: IsStopping) -> None:
        ran.set()

    jobs = (Job(name="broken", run=fail, every=0.01), Job(name="fine", run=note, every=0.01))
    with caplog.at_level(logging.ERROR, "microsite.worker"):
        worker = Worker(app, {"jobs": jobs})
        worker.start()
        assert ran.wait(PATIENCE)
        wait_until(lambda: "broken" in caplog.text, "the error is logged")
        worker.stop()
        worker.join()


def test_database_that_is_away_is_a_warning_of_one_line(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def ask(_is_stopping: IsStopping) -> None:
        db.session.execute(text("SELECT nothing FROM nowhere"))

    asking = Job(name="asking", run=ask, every=5, retry_after=30)
    assert Worker(app, {"jobs": (asking,)}).run("asking") == 30

    (record,) = [record for record in caplog.records if record.name == "microsite.worker"]
    assert (record.levelname, record.exc_info) == ("WARNING", None)


def test_long_job_keeps_no_mail_waiting(app: Flask) -> None:
    """Nor a mail that takes long the others."""
    begun, sent = threading.Event(), threading.Event()

    def take_long(_is_stopping: IsStopping) -> None:
        begun.set()
        assert sent.wait(PATIENCE)

    def send(_is_stopping: IsStopping) -> None:
        assert begun.wait(PATIENCE)
        sent.set()

    jobs = {"jobs": (Job(name="long", run=take_long, every=60),), "mails": (Job(name="mails", run=send, every=60),)}
    worker = Worker(app, jobs)
    worker.start()
    assert sent.wait(PATIENCE)
    worker.finish()


def test_last_jobs_run_once_more_at_the_end(app: Flask) -> None:
    runs: list[str] = []

    def note(_is_stopping: IsStopping) -> None:
        runs.append("")

    worker = Worker(app, {"jobs": (Job(name="last", run=note, every=600, is_last_at_stop=True),)})
    worker.start()
    wait_until(lambda: len(runs) == 1, "it ran")
    worker.stop()
    worker.join()

    assert len(runs) == 2


def test_idle_jobs_take_no_place_in_the_writers_queue(app: Flask) -> None:
    """They run while another connection holds the write lock, or all tables."""
    worker = Worker(app)
    worker.run("purge")
    with app.app_context(), writing():
        if db.engine.dialect.name == "postgresql":
            db.session.execute(text(f"LOCK TABLE {', '.join(Base.metadata.tables)} IN EXCLUSIVE MODE"))
        else:
            db.session.connection()
        with ThreadPoolExecutor(1) as pool:
            pauses = [pool.submit(worker.run, job.name).result(PATIENCE) for job in THREADS["jobs"]]

    assert pauses == [job.every for job in THREADS["jobs"]]


def _is_free(app: Flask) -> bool:
    with app.app_context(), exclusive(db.engine, Path(app.instance_path), "purge") as is_free:
        return is_free
