"""The oracle of other tests: each invariant holds in a site that was used, and is named once a statement breaks it."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Executable, delete, func, insert, select, text, update

from microsite.backoffice.models import Role
from microsite.brochures.services import count_download
from microsite.campaigns.models import ViewCount
from microsite.campaigns.services import Seen, add_views
from microsite.db import db, reading, writing
from microsite.exports.bookmarks import Owner, Position, last_batch, number_some, put_bookmark
from microsite.exports.models import ExportBatch, ExportBookmark
from microsite.keys.fingerprints import KeyFingerprint
from microsite.leads.models import Consent, ConsentWording, FormName, Lead, LeadWord, Submission, SubmissionStatus
from microsite.open_days.models import Alert, Registration, RegistrationState, Slot
from microsite.open_days.planning import SlotPlan, edit_slot
from microsite.open_days.services import cancel
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.transports import MemoryTransport
from microsite.privacy.data_requests import ask
from microsite.privacy.models import RequestKind
from microsite.sqlite_engine import sqlite
from microsite.web.context import utc_now
from microsite.worker import Worker

from .answers import APPLICATION, BROCHURE, export, plan_slot
from .backoffice.conftest import add_member
from .conftest import Environ
from .page import CheckedClient
from .support.invariants import all_invariants, broken_invariants, current_scope
from .support.invariants.scope import find_violations

NOW = utc_now()
# Still to come at the end of a long run.
LATER = NOW + timedelta(days=1)
HOUR = timedelta(hours=1)
CONFIRMED, OFFERED, WAITING = RegistrationState.CONFIRMED, RegistrationState.OFFERED, RegistrationState.WAITING
ATTENDED = RegistrationState.ATTENDED
COUNTS = Submission.lead_id.is_not(None)

Break = tuple[str, Sequence[Executable]]


def _doubled(table: str) -> tuple[Executable, ...]:
    """Each of its rows twice, past the constraints."""
    copies = f"SELECT * FROM {table}_once UNION ALL SELECT * FROM {table}_once"  # noqa: S608
    return text(f"ALTER TABLE {table} RENAME TO {table}_once"), text(f"CREATE VIEW {table} AS {copies}")


def _without_mail(template: str) -> tuple[Executable]:
    return (delete(OutgoingMail).where(OutgoingMail.template == template),)


BREAKS: list[Break] = [
    (
        "the server's keys are the database's",
        [delete(KeyFingerprint), insert(KeyFingerprint).values(name="secret_key", fingerprint="0" * 64)],
    ),
    ("a submission is of an export batch that exists", [delete(ExportBatch)]),
    ("a held submission is of no export batch", [update(Submission).where(~COUNTS).values(export_batch=1)]),
    ("an export bookmark isn't beyond the last batch", [update(ExportBookmark).values(batch=99)]),
    ("a received or released submission has a lead", [update(Submission).where(COUNTS).values(lead_id=None)]),
    ("a held submission has no lead", [update(Submission).where(~COUNTS).values(lead_id=1)]),
    ("a form sent twice is one submission", _doubled("submissions")),
    ("a reference is of one submission", _doubled("submissions")),
    ("a lead has a submission", [update(Submission).values(lead_id=None)]),
    ("an address has one lead", _doubled("leads")),
    ("a submission has its lead's address", [update(Submission).values(email="autre@exemple.fr")]),
    ("a lead's dates enclose its submissions", [update(Lead).values(last_contact_at=NOW - HOUR)]),
    ("a lead's dates enclose its submissions", [update(Lead).values(created_at=LATER)]),
    ("a lead is found by every word typed", [delete(LeadWord).where(LeadWord.word == "zoe")]),
    ("a consent is its submission's lead's", [update(Consent).values(lead_id=None)]),
    ("a consent's wording is of its channel", [update(ConsentWording).values(channel="pigeon")]),
    (
        "a download is of a brochure request",
        [update(Submission).values(form=FormName.APPLICATION)],
    ),
    ("a view count is positive", [update(ViewCount).values(count=0)]),
    ("a slot has no more seats taken than it has", [update(Slot).values(capacity=1)]),
    ("nobody waits for a free seat", [update(Slot).values(capacity=9)]),
    (
        "the waiting list is served in its order",
        [
            update(Registration)
            .where(Registration.id == select(func.max(Registration.id)).scalar_subquery())
            .values(state=CONFIRMED)
        ],
    ),
    (
        "an offered seat has a deadline before its slot",
        [update(Registration).where(Registration.state == OFFERED).values(offered_until=None)],
    ),
    ("a lead has one active registration a slot", _doubled("registrations")),
    (
        "a registration has its submission's lead and slot",
        [update(Registration).where(Registration.id == 1).values(lead_id=1)],
    ),
    ("a submission for a slot has a registration, or an alert", [delete(Registration)]),
    ("a cancelled slot has no active registration", [update(Slot).values(cancelled_at=NOW)]),
    ("an attendee has a time of arrival", [update(Registration).values(state=ATTENDED)]),
    ("an alert is its submission's lead's", [update(Alert).values(lead_id=1)]),
    ("a brochure request has its mail", _without_mail("brochure")),
    ("an application has its mail", _without_mail("application")),
    ("an open-day form has its mail", _without_mail("registration")),
    ("an unconfirmed consent to e-mails has its mail", _without_mail("consent")),
    ("an offered seat has its mail", _without_mail("offer")),
    (
        "an accepted seat has its mail",
        [update(Registration).where(Registration.state == OFFERED).values(state=CONFIRMED)],
    ),
    ("an answered alert has its mail", [update(Alert).values(told_at=NOW)]),
    ("a data request has its two mails", _without_mail("privacy_noted")),
    ("everybody registered has their early reminder", [update(Slot).values(early_reminder_at=LATER)]),
    ("everybody registered has their late reminder", [update(Slot).values(late_reminder_at=LATER)]),
    (
        "everybody who came has their thanks",
        [
            update(Slot).values(thanked_at=LATER),
            update(Registration).values(state=ATTENDED, checked_in_at=NOW),
        ],
    ),
    (
        "admissions are notified of each submission",
        [delete(OutgoingMail).where(OutgoingMail.template == "notification", OutgoingMail.lead_id == 2)],
    ),
    ("a cause has one mail a template", _doubled("outgoing_mails")),
    (
        "a held submission has no mail",
        [update(Submission).where(COUNTS).values(status=SubmissionStatus.QUARANTINED)],
    ),
    ("a mail is about its submission's lead", [update(OutgoingMail).values(lead_id=2)]),
    (
        "a pending mail still has its recipient",
        [update(OutgoingMail).values(status=MailStatus.PENDING, lead_id=None)],
    ),
    ("sent mails alone have a time of sending", [update(OutgoingMail).values(sent_at=None)]),
    ("a mail is tried no more often than allowed", [update(OutgoingMail).values(attempts=17)]),
    ("nothing is sent about a sample", [update(Lead).values(is_sample=True)]),
]
FILE = "SQLite's file is intact"
ROWS = "no row points to one that is missing"


def test_each_invariant_holds_until_it_is_broken_and_is_named_then(
    app: Flask, client: CheckedClient, sent: MemoryTransport, engine_name: str
) -> None:
    _populate(app, client)
    assert broken_invariants(app) == []

    with app.app_context():
        invariants = all_invariants(current_scope())
        assert invariants.keys() - {FILE} == {name for name, _ in BREAKS} | {ROWS}
        for name, statements in [*BREAKS, (ROWS, _dangling(engine_name))]:
            db.session.rollback()
            for statement in statements:
                db.session.execute(statement, execution_options={"synchronize_session": False})
            assert find_violations(db.session(), invariants[name]), f"broken and not found: {name}"
        db.session.rollback()


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_broken_invariant_comes_with_the_reference_of_what_breaks_it(app: Flask, client: CheckedClient) -> None:
    _send(client, "/brochure", "zoe")
    reference = export(app)[0]["reference"]
    with app.app_context(), writing():
        db.session.execute(delete(OutgoingMail).where(OutgoingMail.template == "brochure"))

    assert broken_invariants(app) == [f"a brochure request has its mail: {reference}"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_damaged_file_is_found(app: Flask, client: CheckedClient, environ: Environ) -> None:
    _send(client, "/brochure", "zoe")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    _damage(Path(environ["MICROSITE_INSTANCE_PATH"]) / "microsite.sqlite3", index="ix_lead_words_word_lead_id")

    with app.app_context(), reading():
        assert find_violations(db.session(), all_invariants(current_scope())[FILE])


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_capacity_lowered_below_what_is_taken_is_no_overselling(app: Flask, client: CheckedClient) -> None:
    slot = plan_slot(app, capacity=3)
    for name in ("un", "deux", "trois"):
        _send(client, "/portes-ouvertes", name, slot=slot)
    with app.app_context(), writing():
        planned = db.session.get_one(Slot, int(slot))
        edit_slot(db.session(), planned, replace(SlotPlan.of(planned), capacity=1), now=utc_now())
    assert broken_invariants(app) == []

    with app.app_context(), writing():
        db.session.execute(update(Registration).where(Registration.id == 1).values(companions=1))

    assert broken_invariants(app) == [f"a slot has no more seats taken than it has: {slot}"]


def _populate(app: Flask, client: CheckedClient) -> None:
    """Add something of everything, as visitors, staff and the worker leave it."""
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
    Worker(app).run("mails")


def _go_on(staff_id: int) -> None:
    """Cancel a registration, download the brochure, ask for data, export, count a view."""
    session, now = db.session(), utc_now()
    cancel(session, session.get_one(Registration, 2), now=now)
    count_download(session, 1, version_id=None, now=now)
    ask(session, session.get_one(Lead, 1), RequestKind.COPY, now=now)
    number_some(session, now=now)
    add_views(session, {Seen(day=now.date(), page="article"): 1})
    position = Position(batch=last_batch(session), at=now)
    put_bookmark(session, Owner(staff_id=staff_id), FormName.BROCHURE, position, after=0)


def _send(client: CheckedClient, path: str, name: str, **answers: str) -> None:
    form = client.page(path).form(path)
    page = client.send(form, **BROCHURE | answers | {"email": f"{name}@exemple.fr"})
    assert page.status == 303


def _dangling(engine_name: str) -> Sequence[Executable]:
    unchecked = (
        "PRAGMA defer_foreign_keys = ON" if engine_name == "sqlite" else "SET LOCAL session_replication_role = replica"
    )
    return text(unchecked), update(Registration).values(slot_id=99)


def _damage(file: Path, *, index: str) -> None:
    """Empty the first page of this index."""
    with closing(sqlite.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (index,)).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as pages:
        # Its header stays (sqlite.org/fileformat.html, 1.6), with a number of cells that is none.
        pages.seek((root - 1) * size + 3)
        pages.write(bytes(2))
