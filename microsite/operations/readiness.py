"""/readyz: can this process keep what it is sent? Database, disk, and mails that wait; for supervision, in JSON.

A balancer asks /healthz (web/health.py): mails that wait are no reason to send visitors away.
"""

import shutil
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request
from sqlalchemy import text

from ..db import UNAVAILABLE, db, reading, waiting_at_most, writing
from ..keys import FILES as KEY_FILES
from ..keys.fingerprints import REFUSED, key_faults
from ..outbox.holds import find_hold
from ..outbox.queries import due_since
from ..web.context import current_settings, utc_now

_PATH = "/readyz"
# In bytes: what a busy day and its journal take.
LEAST_FREE = 100_000_000
# Longer than any retry leaves a mail due, and long enough for a mail server's restart.
LATEST_MAIL = timedelta(hours=1)
# Seconds for which an answer counts: looking takes a place in the writers' line, and anybody may ask.
_GOOD_FOR = 1.0
# Seconds that a place in that line is waited for: who supervises waits for our answer.
_PATIENCE = 5.0

bp = Blueprint("readiness", __name__)


class Readiness:
    """The last answer, shared by a process's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._parts: dict[str, str] = {}

    def parts(self) -> dict[str, str]:
        # Whoever asks while another one looks is given the last answer: the looking may take its time.
        if self._lock.acquire(blocking=not self._parts):
            try:
                if time.monotonic() >= self._until:
                    self._parts = {name: _judge(look) for name, look in _LOOKS.items()}
                    self._until = time.monotonic() + _GOOD_FOR
            finally:
                self._lock.release()
        return self._parts


def init_app(app: Flask) -> None:
    app.extensions["readiness"] = Readiness()
    app.register_blueprint(bp)


@bp.get(_PATH, strict_slashes=True)
def ready() -> Response:
    # Exactly so, for proxies keep this address from the public: routes are found with several slashes too.
    if request.environ["PATH_INFO"] != _PATH:
        abort(404)
    with waiting_at_most(_PATIENCE):
        parts = current_app.extensions["readiness"].parts()
    is_ready = set(parts.values()) == {"ok"}
    answer = jsonify({"status": "ready" if is_ready else "not ready", **parts})
    answer.status_code = 200 if is_ready else 503
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _judge(look: Callable[[], str]) -> str:
    try:
        return look()
    except UNAVAILABLE:
        return "unavailable"
    except OSError:
        return "unreadable"


def _database() -> str:
    """Begins to write, as a submission does, and writes nothing."""
    with writing():
        # The first statement is what begins the transaction.
        on_sqlite = db.engine.dialect.name == "sqlite"
        answer = db.session.scalar(text("SELECT 'off'" if on_sqlite else "SHOW transaction_read_only"))
    if answer != "off":
        return "read only"
    with reading():
        faults = key_faults(db.session(), current_settings().instance_path, *KEY_FILES)
    return "other keys" if any(fault.state in REFUSED for fault in faults) else "ok"


def _disk() -> str:
    folders = {current_settings().instance_path}
    if db.engine.dialect.name == "sqlite":
        folders.add(Path(str(db.engine.url.database)).parent)
    return "ok" if all(shutil.disk_usage(folder).free >= LEAST_FREE for folder in folders) else "almost full"


def _outbox() -> str:
    with reading():
        if find_hold(db.session()) is not None:
            return "held"
        since = due_since(db.session(), now=utc_now())
    return "late" if since is not None and utc_now() - since > LATEST_MAIL else "ok"


_LOOKS = {"database": _database, "disk": _disk, "outbox": _outbox}
