"""The back-office's pages on a large database of samples.

Times are the server's own, of a whole request without
network, on one thread: the median of several after a first one, which isn't counted.
"""

import logging
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from microsite.db import db, reading
from microsite.leads.models import Lead, Submission

from .installations import filled, signed_in
from .options import Options, median, number, table

# Milliseconds for a list or a search, by submissions kept.
_LIMITS = {100_000: 150, 1_000_000: 300}
_SLOWEST = "la plus longue des listes et recherches"


@dataclass(frozen=True, kw_only=True)
class _Time:
    """Milliseconds that pass, and of processor time among them."""

    elapsed: float
    processor: float

    def __str__(self) -> str:
        return f"{number(self.elapsed)} ms ({number(self.processor)})"


def measure(options: Options) -> str:
    logging.getLogger("microsite.access").setLevel(logging.WARNING)
    sizes = [size for size in _LIMITS if size <= options.submissions]
    told = [_measured(options, size) for size in sizes]
    rows = [[name, *(one[name] for one in told)] for name in told[0]]
    limits = ["visé, au plus", *(f"{_LIMITS[size]} ms" for size in sizes)]
    return table(["", *(f"{number(size)} demandes" for size in sizes)], [*rows, limits])


def _measured(options: Options, submissions: int) -> dict[str, str]:
    app, facts = filled(options, submissions)
    client = signed_in(app)
    listed, other = _lists(app), _others()
    times = {name: _time(client, address, options.rounds) for name, address in {**listed, **other}.items()}
    slowest = max((times[name] for name in listed), key=lambda time_: time_.elapsed)
    pages = {name: str(time_) for name, time_ in {**times, _SLOWEST: slowest}.items()}
    return {**facts, **pages}


def _lists(app: Flask) -> dict[str, str]:
    leads, today = "/admissions/contacts", date.today()  # noqa: DTZ011
    with app.app_context(), reading():
        reference = db.session.scalar(select(Submission.reference).order_by(Submission.id.desc()).limit(1))
        count = db.session.execute(select(func.count(Lead.id))).scalar_one()
        places = {
            name: select(Lead).order_by(Lead.last_contact_at.desc()).limit(1).offset(int(count * share))
            for name, share in (("au milieu", 0.5), ("vers la fin", 0.95))
        }
        deep = {name: _place(db.session.scalars(place).one()) for name, place in places.items()}
    return {
        "contacts": leads,
        **{f"contacts, {name} de la liste": f"{leads}?apres={place}" for name, place in deep.items()},
        "contacts, par nom": f"{leads}?tri=nom",
        "recherche « lefèvre lé »": f"{leads}?q=lefèvre+lé",
        "recherche d’une lettre": f"{leads}?q=m",
        "recherche d’une référence": f"{leads}?q={reference}",
        "recherche d’un téléphone": f"{leads}?q=01+99+00+12",
        "filtre : formulaire et formation": f"{leads}?formulaire=application&formation=scenario",
        "filtre : campagne": f"{leads}?campagne=echantillon-salon-{today.year - 1}",
        "filtre : accord confirmé": f"{leads}?accord=e-mail-confirme",
        "à vérifier": f"{leads}?etat=a-verifier",
    }


def _others() -> dict[str, str]:
    report, today = "/admissions/rapport", date.today()  # noqa: DTZ011
    year, month = (f"du={today - timedelta(days=days - 1)}&au={today}" for days in (365, 30))
    return {
        "accueil": "/admissions/",
        "messages refusés": "/admissions/messages?etat=refuses",
        "rapport, 30 jours par campagne": f"{report}?par=campagne&{month}",
        "rapport, 30 jours par jour": f"{report}?par=jour&{month}",
        "rapport, un an par campagne": f"{report}?par=campagne&{year}",
        "rapport, un an par jour": f"{report}?par=jour&{year}",
    }


def _place(lead: Lead) -> str:
    return f"{lead.id}~{int(lead.last_contact_at.timestamp() * 1e6)}"


def _time(client: FlaskClient, address: str, rounds: int) -> _Time:
    times, processor = [], []
    for _ in range(rounds + 1):
        began, worked = time.perf_counter(), time.thread_time()
        answer = client.get(address)
        processor.append(1000 * (time.thread_time() - worked))
        times.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            sys.exit(f"{address}: {answer.status_code}")
    return _Time(elapsed=median(times[1:]), processor=median(processor[1:]))
