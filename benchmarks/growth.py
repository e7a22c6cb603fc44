"""What each thing takes as submissions grow from ten thousand to a million; a plot in docs/."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from microsite.brochures.forms import BrochureForm
from microsite.config import PROJECT_ROOT
from microsite.db import db, reading, writing
from microsite.exports.columns import Writing
from microsite.exports.dialects import ExcelFr
from microsite.exports.files import write_csv
from microsite.exports.sheets import submissions_sheet
from microsite.leads.models import Lead
from microsite.leads.queries import Selection
from microsite.privacy.purge import EXPIRIES, find_expired, lock_expired, remove
from microsite.privacy.retention import Rule
from microsite.web.context import current_school, utc_now

from .installations import copied, filled, signed_in
from .options import Options, median, number, ratio, table
from .plot import draw

PLOT = PROJECT_ROOT / "docs" / "growth.svg"
_SIZES = (10_000, 100_000, 1_000_000)
# All of them come from one address; mails are decided, and wait.
_ENVIRON = {"MICROSITE_MIN_FILL_SECONDS": "0", "MICROSITE_FORM_RATE_LIMIT": "0,5"}
# Leads captured, pages shown and leads removed in a round.
_CAPTURED, _SHOWN, _REMOVED = 50, 5, 200
_KNOWN = 5000
# In one transaction, as purge.py has it.
_BATCH = 100
_LEADS = next(expiry for expiry in EXPIRIES if expiry.rule is Rule.LEADS)
# Name, unit, digits.
_ROWS = {
    "capture": ("demande d’un nouveau contact", "ms", 1),
    "again": ("demande d’un contact connu", "ms", 1),
    "list": ("la liste des contacts", "ms", 0),
    "search": ("une recherche par nom", "ms", 0),
    "export": ("une ligne exportée", "µs", 0),
    "purge": ("une personne effacée", "ms", 1),
}


def measure(options: Options) -> str:
    logging.getLogger("microsite.access").setLevel(logging.WARNING)
    sizes = [size for size in _SIZES if size <= options.submissions]
    with ExitStack() as stack:
        measures = {size: _measures(options, size, stack) for size in sizes}
        times = {size: {name: list[float]() for name in _ROWS} for size in sizes}
        for _ in range(options.rounds):
            for name in _ROWS:
                # One after the other, so that what else the machine does comes to all of them.
                for size in sizes:
                    times[size][name].append(measures[size][name]())
    found = {name: [median(times[size][name]) for size in sizes] for name in _ROWS}
    draw(
        PLOT,
        "Durée de chaque opération, rapportée à celle de la plus petite base",
        sizes,
        {label: [value / found[name][0] for value in found[name]] for name, (label, *_) in _ROWS.items()},
        least=0.5,
    )
    return _told(sizes, found)


def _told(sizes: list[int], found: dict[str, list[float]]) -> str:
    rows = [
        [label, *(f"{number(value, digits)} {unit}" for value in found[name]), ratio(found[name][-1] / found[name][0])]
        for name, (label, unit, digits) in _ROWS.items()
    ]
    heads = ["", *(f"{number(size)} demandes" for size in sizes), "de la première à la dernière"]
    asked = [[_ROWS[name][0], "≤ 1,2", ratio(found[name][-1] / found[name][0])] for name in ("capture", "again")]
    return f"{table(heads, rows)}\n\n{table(['', 'visé', 'mesuré'], asked)}"


def _measures(options: Options, submissions: int, stack: ExitStack) -> dict[str, Callable[[], float]]:
    """Each gives the time of one, in the unit of its row."""
    app, _ = filled(options, submissions)
    copy = stack.enter_context(copied(options, submissions, _ENVIRON))
    client = signed_in(app)
    sender, strangers, known = copy.test_client(), _strangers(), _known(copy)
    # The first ones load what later ones find.
    _capture(copy, sender, strangers)
    return {
        "capture": lambda: _capture(copy, sender, strangers),
        "again": lambda: _capture(copy, sender, known),
        "list": lambda: _show(client, "/admissions/contacts"),
        "search": lambda: _show(client, "/admissions/contacts?q=lefèvre+lé"),
        "export": lambda: _export(app),
        "purge": lambda: _purge(copy),
    }


def _strangers() -> Iterator[str]:
    started = time.time_ns()
    return (f"mesure.{started + turn}@exemple.fr" for turn in range(sys.maxsize))


def _known(app: Flask) -> Iterator[str]:
    """Whoever wrote last."""
    with app.app_context(), reading():
        latest = select(Lead.email).order_by(Lead.id.desc()).limit(_KNOWN)
        return iter(db.session.scalars(latest).all())


def _capture(app: Flask, client: FlaskClient, addresses: Iterator[str]) -> float:
    """The median of some, their forms rendered beforehand."""
    with app.test_request_context("/brochure"):
        form = BrochureForm()
        tokens = [form.fresh_token(is_first_try=True).sign() for _ in range(_CAPTURED)]
    return median(_send(client, token, next(addresses)) for token in tokens)


def _send(client: FlaskClient, token: str, email: str) -> float:
    answers = {"first_name": "Zoé", "last_name": "Lefèvre", "phone": "06 12 34 56 78", "programme": "realisation"}
    sent = {**answers, "email": email, "email_consent": "y", "utm_source": "instagram", "form_token": token}
    began = time.perf_counter()
    answer = client.post("/brochure", data=sent)
    took = time.perf_counter() - began
    if answer.status_code != 303:
        sys.exit(f"/brochure: {answer.status_code}")
    return 1000 * took


def _show(client: FlaskClient, address: str) -> float:
    return median(_get(client, address) for _ in range(_SHOWN))


def _get(client: FlaskClient, address: str) -> float:
    began = time.perf_counter()
    answer = client.get(address)
    took = time.perf_counter() - began
    if answer.status_code != 200:
        sys.exit(f"{address}: {answer.status_code}")
    return 1000 * took


def _export(app: Flask) -> float:
    with app.app_context(), reading():
        sheet = submissions_sheet(*Selection().conditions())
        writing_as = Writing(dialect=ExcelFr(), school=current_school())
        began = time.process_time()
        with Path(os.devnull).open("wb") as nowhere:
            written = max(write_csv(db.session(), nowhere, sheet, writing_as))
        return 1e6 * (time.process_time() - began) / written


def _purge(app: Flask) -> float:
    """Of people made old enough for it, the pauses between batches left out."""
    with app.app_context():
        now = utc_now()
        with writing():
            oldest = select(Lead.id).order_by(Lead.id).limit(_REMOVED)
            long_ago = update(Lead).where(Lead.id.in_(oldest)).values(last_contact_at=now - timedelta(days=4 * 366))
            db.session.execute(long_ago.execution_options(synchronize_session=False))
        began = time.perf_counter()
        with reading():
            due = find_expired(db.session(), _LEADS, limit=_REMOVED, now=now)
        for start in range(0, len(due), _BATCH):
            with writing():
                ids = lock_expired(db.session(), _LEADS, due[start : start + _BATCH], now=now)
                remove(db.session(), _LEADS, ids, now=now)
        return 1000 * (time.perf_counter() - began) / len(due)
