"""The back-office's pages on a large database of samples.

A folder that is filled already is measured again as it is. Times are the server's own, of a whole request without
network, on one thread: the median of several after a first one, which isn't counted.
"""

import logging
import sys
import time
from datetime import date, timedelta

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import func, select

from microsite import create_app
from microsite.backoffice.accounts.services import add_staff
from microsite.backoffice.models import Role
from microsite.db import db, reading, writing
from microsite.leads.models import Lead, Submission
from microsite.web.context import utc_now

from .options import Options, median, number, table

_EMAIL, _PASSWORD = "mesure@example.org", "quatre petits chats mesurent"


def measure(options: Options) -> str:
    app, facts = filled(options)
    logging.getLogger("microsite.access").setLevel(logging.WARNING)
    client = signed_in(app)
    pages = {name: [f"{_time(client, address, options.rounds):.0f} ms"] for name, address in _pages(app).items()}
    heads = ["", f"{number(options.submissions)} demandes"]
    return table(heads, [[name, *told] for name, told in {**facts, **pages}.items()])


def filled(options: Options) -> tuple[Flask, dict[str, list[str]]]:
    """The installation with that many submissions, made if need be, and what is to be told of it."""
    folder = options.folder / str(options.submissions)
    folder.mkdir(exist_ok=True)
    app = create_app({"MICROSITE_INSTANCE_PATH": str(folder), "MICROSITE_MIN_FILL_SECONDS": "0"})
    with app.app_context():
        upgrade()
        with reading():
            there = db.session.execute(select(func.count(Submission.id))).scalar_one()
    if not there:
        result = app.test_cli_runner().invoke(args=["ops", "sample", "--submissions", str(options.submissions)])
        if result.exit_code:
            sys.exit(result.output)
    elif there < options.submissions:
        sys.exit(f"{folder} holds {there} submissions: remove it")
    with app.app_context(), reading():
        leads = db.session.execute(select(func.count(Lead.id))).scalar_one()
    size = sum(path.stat().st_size for path in folder.glob("*.sqlite3"))
    return app, {"contacts inventés": [number(leads)], "fichier de la base": [f"{number(size / 1e6)} Mo"]}


def _pages(app: Flask) -> dict[str, str]:
    today = date.today()  # noqa: DTZ011
    leads, report = "/admissions/contacts", "/admissions/rapport"
    year, month = (f"du={today - timedelta(days=days - 1)}&au={today}" for days in (365, 30))
    with app.app_context(), reading():
        reference = db.session.scalar(select(Submission.reference).order_by(Submission.id.desc()).limit(1))
        last = db.session.scalars(select(Lead).order_by(Lead.last_contact_at).limit(1).offset(40_000)).first()
        deep = f"{last.id}~{int(last.last_contact_at.timestamp() * 1e6)}" if last else ""
    return {
        "accueil": "/admissions/",
        "contacts": leads,
        "contacts, loin dans la liste": f"{leads}?apres={deep}",
        "contacts, par nom": f"{leads}?tri=nom",
        "recherche « lefèvre lé »": f"{leads}?q=lefèvre+lé",
        "recherche d’une lettre": f"{leads}?q=m",
        "recherche d’une référence": f"{leads}?q={reference}",
        "recherche d’un téléphone": f"{leads}?q=01+99+00+12",
        "filtre : formulaire et formation": f"{leads}?formulaire=application&formation=scenario",
        "filtre : campagne": f"{leads}?campagne=echantillon-salon-{today.year - 1}",
        "filtre : accord confirmé": f"{leads}?accord=e-mail-confirme",
        "à vérifier": f"{leads}?etat=a-verifier",
        "messages refusés": "/admissions/messages?etat=refuses",
        "rapport, 30 jours par campagne": f"{report}?par=campagne&{month}",
        "rapport, 30 jours par jour": f"{report}?par=jour&{month}",
        "rapport, un an par campagne": f"{report}?par=campagne&{year}",
        "rapport, un an par jour": f"{report}?par=jour&{year}",
    }


def _time(client: FlaskClient, address: str, rounds: int) -> float:
    """Milliseconds."""
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        answer = client.get(address)
        times.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            sys.exit(f"{address}: {answer.status_code}")
    return median(times[1:])


def signed_in(app: Flask) -> FlaskClient:
    email = f"{time.time_ns()}.{_EMAIL}"
    with app.app_context(), writing():
        add_staff(
            db.session(),
            email=email,
            name="Mesure",
            role=Role.ADMINISTRATOR,
            password=_PASSWORD,
            must_change_password=False,
            now=utc_now(),
        )
    client = app.test_client()
    page = client.get("/admissions/connexion").get_data(as_text=True)
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    answer = client.post("/admissions/connexion", data={"csrf_token": token, "email": email, "password": _PASSWORD})
    if answer.status_code != 303:
        sys.exit("signing in failed")
    return client
