"""Every fact that `ops audit` looks at: held in a site as its people leave it, named once a statement breaks it."""

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Executable, delete, func, select, text, update

from microsite.backoffice.models import Role
from microsite.brochures.services import count_download
from microsite.campaigns.models import ViewCount
from microsite.campaigns.services import Seen, add_views
from microsite.db import db, writing
from microsite.exports.marks import Place, put_mark
from microsite.exports.models import ExportMark, Wave
from microsite.exports.waves import gather_wave, last_wave
from microsite.invariants.catalogue import all_facts
from microsite.invariants.facts import Scope, look
from microsite.jobs import Worker
from microsite.leads.models import Consent, ConsentWording, FormName, Lead, LeadWord, Submission, SubmissionStatus
from microsite.open_days.models import Alert, Registration, RegistrationState, Slot
from microsite.open_days.planning import SlotPlan, edit_slot
from microsite.open_days.services import cancel
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.transports import MemoryTransport
from microsite.privacy.models import RequestKind
from microsite.privacy.requests import ask
from microsite.sqlite_engine import sqlite
from microsite.web.context import utc_now

from ..answers import APPLICATION, BROCHURE, export, plan_slot
from ..backoffice.conftest import add_member
from ..conftest import Environ
from ..page import CheckedClient

NOW = utc_now()
# Still to come at the end of a long run.
LATER = NOW + timedelta(days=1)
HOUR = timedelta(hours=1)
CONFIRMED, OFFERED, WAITING = RegistrationState.CONFIRMED, RegistrationState.OFFERED, RegistrationState.WAITING
ATTENDED = RegistrationState.ATTENDED
COUNTS = Submission.lead_id.is_not(None)
NAMED = re.compile(r"\d+|(BRO|CAN|JPO)-[2-9A-Z]{6}|\w+(\.\w+)? \d+ vers \w+")

Break = tuple[str, Sequence[Executable]]


def _doubled(table: str) -> tuple[Executable, ...]:
    """Each of its rows twice, which no constraint of its own would let in."""
    copies = f"SELECT * FROM {table}_once UNION ALL SELECT * FROM {table}_once"  # noqa: S608
    return text(f"ALTER TABLE {table} RENAME TO {table}_once"), text(f"CREATE VIEW {table} AS {copies}")


def _without_mail(template: str) -> tuple[Executable]:
    return (delete(OutgoingMail).where(OutgoingMail.template == template),)


BREAKS: list[Break] = [
    ("une demande est d’une vague qui existe", [delete(Wave)]),
    ("une demande retenue n’est d’aucune vague", [update(Submission).where(~COUNTS).values(wave=1)]),
    ("un repère d’export ne dépasse pas la dernière vague", [update(ExportMark).values(wave=99)]),
    ("une demande reçue ou libérée a un contact", [update(Submission).where(COUNTS).values(lead_id=None)]),
    ("une demande retenue n’a pas de contact", [update(Submission).where(~COUNTS).values(lead_id=1)]),
    ("un formulaire envoyé deux fois n’est enregistré qu’une fois", _doubled("submissions")),
    ("une référence ne désigne qu’une demande", _doubled("submissions")),
    ("un contact a au moins une demande", [update(Submission).values(lead_id=None)]),
    ("une adresse n’a qu’un contact", _doubled("leads")),
    ("une demande porte l’adresse de son contact", [update(Submission).values(email="autre@exemple.fr")]),
    ("les dates d’un contact encadrent ses demandes", [update(Lead).values(last_contact_at=NOW - HOUR)]),
    ("les dates d’un contact encadrent ses demandes", [update(Lead).values(created_at=LATER)]),
    ("un contact se retrouve par chaque mot saisi", [delete(LeadWord).where(LeadWord.word == "zoe")]),
    ("un accord est celui du contact de sa demande", [update(Consent).values(lead_id=None)]),
    ("un accord renvoie aux mots de son canal", [update(ConsentWording).values(channel="pigeon")]),
    (
        "un téléchargement appartient à une demande de brochure",
        [update(Submission).values(form=FormName.APPLICATION)],
    ),
    ("un compte de vues est positif", [update(ViewCount).values(count=0)]),
    ("un créneau n’a pas plus d’inscrits que de places", [update(Slot).values(capacity=1)]),
    ("personne n’attend une place libre", [update(Slot).values(capacity=9)]),
    (
        "la liste d’attente est servie dans l’ordre",
        [
            update(Registration)
            .where(Registration.id == select(func.max(Registration.id)).scalar_subquery())
            .values(state=CONFIRMED)
        ],
    ),
    (
        "une place proposée a une échéance avant le début",
        [update(Registration).where(Registration.state == OFFERED).values(offered_until=None)],
    ),
    ("un contact n’a qu’une inscription qui tient par créneau", _doubled("registrations")),
    (
        "une inscription est celle de sa demande : contact, créneau",
        [update(Registration).where(Registration.id == 1).values(lead_id=1)],
    ),
    ("une demande de créneau a une inscription, ou sera prévenue", [delete(Registration)]),
    ("un créneau annulé n’a plus d’inscrits", [update(Slot).values(cancelled_at=NOW)]),
    ("une arrivée a son heure", [update(Registration).values(state=ATTENDED)]),
    ("qui attend une date l’a demandé lui-même", [update(Alert).values(lead_id=1)]),
    ("une demande de brochure a son message", _without_mail("brochure")),
    ("une candidature a son message", _without_mail("application")),
    ("une demande de portes ouvertes a son message", _without_mail("registration")),
    ("un accord par e-mail qui reste à confirmer a son message", _without_mail("consent")),
    ("une place proposée a son message", _without_mail("offer")),
    (
        "une place acceptée a son message",
        [update(Registration).where(Registration.state == OFFERED).values(state=CONFIRMED)],
    ),
    ("qui a été prévenu d’une date a son message", [update(Alert).values(told_at=NOW)]),
    ("une demande sur ses données a ses deux messages", _without_mail("privacy_noted")),
    ("un inscrit a son rappel de l’avant-veille", [update(Slot).values(early_reminder_at=LATER)]),
    ("un inscrit a son rappel du jour même", [update(Slot).values(late_reminder_at=LATER)]),
    (
        "qui est venu a son remerciement",
        [
            update(Slot).values(thanked_at=LATER),
            update(Registration).values(state=ATTENDED, checked_in_at=NOW),
        ],
    ),
    (
        "les admissions sont averties de chaque demande, depuis 2 jours",
        [delete(OutgoingMail).where(OutgoingMail.template == "notification", OutgoingMail.lead_id == 2)],
    ),
    ("une cause n’a qu’un message", _doubled("outgoing_mails")),
    (
        "une demande retenue n’a pas de message",
        [update(Submission).where(COUNTS).values(status=SubmissionStatus.QUARANTINED)],
    ),
    ("un message parle à la personne qui l’a causé", [update(OutgoingMail).values(lead_id=2)]),
    (
        "un message à envoyer a encore son destinataire",
        [update(OutgoingMail).values(status=MailStatus.PENDING, lead_id=None)],
    ),
    ("un message envoyé a son heure, et lui seul", [update(OutgoingMail).values(sent_at=None)]),
    ("un message n’est tenté que 16 fois", [update(OutgoingMail).values(attempts=17)]),
    ("personne n’est écrit au nom d’un exemple", [update(Lead).values(is_sample=True)]),
]
KEYS = "aucune ligne n’en désigne une qui manque"
FILE = "le fichier de la base est intact"


def test_each_fact_holds_until_it_is_broken_and_is_named_then(
    app: Flask, client: CheckedClient, sent: MemoryTransport, engine_name: str
) -> None:
    _populate(app, client)
    held = _audit(app)
    assert held[-1].startswith("Tout est tenu"), held
    assert [line for line in held[:-1] if not line.startswith("tenu")] == []

    with app.app_context():
        facts = {fact.name: fact for fact in all_facts(engine_name, _scope())}
        assert facts.keys() - {FILE, KEYS} == {name for name, _ in BREAKS}
        for name, statements in [*BREAKS, (KEYS, _dangling(engine_name))]:
            db.session.rollback()
            for statement in statements:
                db.session.execute(statement, execution_options={"synchronize_session": False})
            finding = look(db.session(), facts[name])
            assert finding.broken > 0, f"broken and not seen: {name}"
            assert all(NAMED.fullmatch(example) for example in finding.examples), (name, finding.examples)
        db.session.rollback()


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_audit_says_what_is_broken_without_naming_anybody_and_ends_with_1(app: Flask, client: CheckedClient) -> None:
    _send(client, "/brochure", "zoe")
    reference = export(app)[0]["reference"]
    with app.app_context(), writing():
        db.session.execute(delete(OutgoingMail).where(OutgoingMail.template == "brochure"))

    result = app.test_cli_runner().invoke(args=["ops", "audit"])

    assert result.exit_code == 1
    broken = [line for line in _plain(result.stdout) if not line.startswith("tenu")]
    assert broken == [
        f"rompu : une demande de brochure a son message (demande : 1) : 1, soit {reference}",
        f"Faits rompus : 1 sur {len(_plain(result.stdout)) - 1}.",
    ]
    assert "Zoé" not in result.output
    assert "exemple.fr" not in result.output


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_audit_sees_a_damaged_file(app: Flask, client: CheckedClient, environ: Environ) -> None:
    _send(client, "/brochure", "zoe")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    _damage(Path(environ["MICROSITE_INSTANCE_PATH"]) / "microsite.sqlite3", index="ix_lead_words_word_lead_id")

    result = app.test_cli_runner().invoke(args=["ops", "audit"])

    assert result.exit_code == 1
    assert _plain(result.stdout)[0].startswith(f"rompu : {FILE}")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_capacity_lowered_below_what_is_taken_is_no_overselling(app: Flask, client: CheckedClient) -> None:
    slot = plan_slot(app, capacity=3)
    for name in ("un", "deux", "trois"):
        _send(client, "/portes-ouvertes", name, slot=slot)
    with app.app_context(), writing():
        planned = db.session.get_one(Slot, int(slot))
        edit_slot(db.session(), planned, replace(SlotPlan.of(planned), capacity=1), now=utc_now())
    assert _audit(app)[-1].startswith("Tout est tenu")

    with app.app_context(), writing():
        db.session.execute(update(Registration).where(Registration.id == 1).values(companions=1))

    assert [line for line in _audit(app) if line.startswith("rompu")] == [
        f"rompu : un créneau n’a pas plus d’inscrits que de places (créneau : 1) : 1, soit {slot}"
    ]


def _populate(app: Flask, client: CheckedClient) -> None:
    """Something of everything, as its people and the clock leave it."""
    slot = plan_slot(app, capacity=2)
    consents = {"phone": "06 12 34 56 78", "email_consent": "y", "phone_consent": "y"}
    _send(client, "/brochure", "brochure", **consents)
    _send(client, "/brochure", "robot", topic="Buy now")
    _send(client, "/candidater", "candidat", **APPLICATION)
    for name in ("vient", "annule"):
        _send(client, "/portes-ouvertes", name, slot=slot)
    for name in ("attend", "derriere", "dernier"):
        _send(client, "/portes-ouvertes", name, slot=f"{slot}-attente")
    _send(client, "/portes-ouvertes", "une-date", slot="prevenez-moi")
    staff_id = add_member(app, Role.ADMISSIONS)
    with app.app_context(), writing():
        _go_on(staff_id)
    Worker(app).work()


def _go_on(staff_id: int) -> None:
    """Seats given back, a brochure opened, data asked for, an export taken, the article seen."""
    session, now = db.session(), utc_now()
    cancel(session, session.get_one(Registration, 2), now=now)
    count_download(session, 1, version_id=None, now=now)
    ask(session, session.get_one(Lead, 1), RequestKind.COPY, now=now)
    gather_wave(session, now=now)
    add_views(session, {Seen(day=now.date(), page="article"): 1})
    put_mark(session, staff_id, FormName.BROCHURE, Place(wave=last_wave(session), at=now))


def _send(client: CheckedClient, path: str, name: str, **answers: str) -> None:
    form = client.page(path).form(path)
    page = client.send(form, **BROCHURE | answers | {"email": f"{name}@exemple.fr"})
    assert page.status == 303


def _audit(app: Flask) -> list[str]:
    return _plain(app.test_cli_runner().invoke(args=["ops", "audit"]).stdout)


def _plain(output: str) -> list[str]:
    return output.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ").splitlines()


def _scope() -> Scope:
    return Scope(now=utc_now(), mails_since=NOW - HOUR, mails_complete_since=None, notify_every="each")


def _dangling(engine_name: str) -> Sequence[Executable]:
    unchecked = (
        "PRAGMA defer_foreign_keys = ON" if engine_name == "sqlite" else "SET LOCAL session_replication_role = replica"
    )
    return text(unchecked), update(Registration).values(slot_id=99)


def _damage(file: Path, *, index: str) -> None:
    """Take a leaf of this index away."""
    with closing(sqlite.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (index,)).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as pages:
        # Its header stays (sqlite.org/fileformat.html, 1.6), with a number of cells that is none.
        pages.seek((root - 1) * size + 3)
        pages.write(bytes(2))
