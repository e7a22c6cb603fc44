"""An installation of the first release, which sent no mail, brought up to date: its forms need no mails, later ones do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import JSON, Boolean, ColumnClause, DateTime, column, delete, select, table, text, update
from sqlalchemy.types import NullType

from microsite.backoffice.models import Role
from microsite.db import db, writing
from microsite.exports.bookmarks import Owner, Position, count_new, find_bookmark
from microsite.exports.models import Export
from microsite.leads.models import Consent, FormName, Submission
from microsite.outbox.models import OutgoingMail
from microsite.outbox.transports import MemoryTransport
from microsite.worker import Worker

from .answers import BROCHURE
from .backoffice.conftest import add_member, enter
from .backups.shelf import new_database
from .conftest import Environ
from .engines import mostly_sqlite
from .page import CheckedClient, Page
from .support.invariants import broken_invariants

BROCHURE_MAIL = "a brochure request has its mail"
THEN = datetime.now(UTC) - timedelta(days=3)
_MEMBER = {
    "email": "c@ecole.example",
    "name": "C",
    "role": "admissions",
    "password_hash": "",
    "must_change_password": False,
}
REVISIONS = [f"{number:04}" for number in range(1, 15)]


@pytest.fixture
def old(
    make_app: Callable[..., Flask], environ: Environ, engine_name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Flask:
    """An empty database at revision 0001."""
    if engine_name == "sqlite":
        (Path(environ["MICROSITE_INSTANCE_PATH"]) / "microsite.sqlite3").unlink()
        app = make_app()
    else:
        app = make_app(DATABASE_URL=new_database(request.getfixturevalue("postgresql_url"), tmp_path))
    with app.app_context():
        upgrade(revision="0001")
    return app


def test_forms_of_the_first_release_need_no_mails(old: Flask) -> None:
    _fill(old)

    _upgrade(old)

    assert broken_invariants(old) == []


def test_mail_that_is_missing_after_the_upgrade_is_found_even_if_none_is_left(old: Flask) -> None:
    _fill(old)
    _upgrade(old)
    reference = _ask(old, "nouvelle@exemple.fr")
    with old.app_context(), writing():
        db.session.execute(delete(OutgoingMail))

    assert broken_invariants(old) == [
        f"{BROCHURE_MAIL}: {reference}",
        "an unconfirmed consent to e-mails has its mail: 4",
    ]


def test_samples_of_the_past_dont_move_the_first_mail(old: Flask) -> None:
    _fill(old)
    with old.app_context():
        upgrade(revision="0014")
        _make_sample(lead_id=1, at=THEN - timedelta(days=30))
        _insert_mail("brochure", "BRO-AAAAAA", 1, THEN - timedelta(days=30))
        db.session.commit()

    _upgrade(old)

    assert broken_invariants(old) == []


def test_released_into_a_full_slot_by_the_first_release_is_promised_by_its_alert(old: Flask) -> None:
    _fill(old)
    with old.app_context():
        _insert("open_days", title="JPO", place="Paris", is_sample=False, created_at=THEN)
        later = datetime.now(UTC) + timedelta(days=30)
        _insert("slots", open_day_id=1, starts_at=later, ends_at=later + timedelta(hours=1), capacity=0)
        full = {"slot_id": 1, "companions": 0}
        db.session.execute(
            text("UPDATE submissions SET status = 'released', answers = :answers WHERE form = 'open-day'"),
            {"answers": json.dumps(full)},
        )
        db.session.execute(text("DELETE FROM open_day_alerts WHERE submission_id = 4"))
        db.session.commit()

    _upgrade(old)

    assert broken_invariants(old) == []


def test_check_and_pages_say_who_was_never_asked_to_confirm(old: Flask) -> None:
    _fill(old)
    _upgrade(old)

    (note,) = [line for line in _run(old, "ops", "check", "--fast")[1] if "rien n’a demandé de confirmer" in line]
    assert note.startswith("À savoir : 2 personnes ont accepté les e-mails avant le ")
    assert "Pas d’actualités par e-mail" in note
    listed, page, without = _pages(old, "/admissions/contacts", "/admissions/contacts/1", "/admissions/contacts/3")
    assert listed.text.count("jamais demandé de confirmer") == 2
    assert "à confirmer" not in listed.text
    assert "non, jamais demandé" in page.text
    assert "Pas d’actualités par e-mail" in page.text
    assert "jamais demandé" not in without.text
    (proof,) = _pages(old, "/admissions/contacts/1/accords/1")
    assert "non, jamais demandé" in proof.text


def test_next_form_asks_who_was_never_asked(old: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(old)
    _upgrade(old)
    transport = MemoryTransport()
    monkeypatch.setattr(old.extensions["outbox"], "transport", transport)

    _ask(old, "lea@exemple.fr")
    Worker(old).run("mails")

    asked = [message for message in transport.sent if "Confirmez" in str(message["Subject"])]
    assert [message["To"] for message in asked] == ["lea@exemple.fr"]
    (page,) = _pages(old, "/admissions/contacts/1")
    assert "jamais demandé" not in page.text
    assert any("À savoir : 1 personne a accepté" in line for line in _run(old, "ops", "check", "--fast")[1])
    # Nor is it said again once that mail has had its time.
    with old.app_context(), writing():
        db.session.execute(delete(OutgoingMail).where(OutgoingMail.lead_id == 1))
    assert any("À savoir : 1 personne a accepté" in line for line in _run(old, "ops", "check", "--fast")[1])


def test_who_withdraws_or_confirms_isnt_counted_as_never_asked(old: Flask) -> None:
    _fill(old)
    _upgrade(old)
    with old.app_context(), writing():
        db.session.execute(update(Consent).where(Consent.lead_id == 1).values(withdrawn_at=THEN))
        db.session.execute(update(Consent).where(Consent.lead_id == 2).values(confirmed_at=datetime.now(UTC)))

    assert not any("demandé de confirmer" in line for line in _run(old, "ops", "check", "--fast")[1])
    assert "jamais demandé" not in "".join(page.text for page in _pages(old, "/admissions/contacts"))


def test_new_installation_needs_every_mail(app: Flask) -> None:
    reference = _ask(app, "lea@exemple.fr")
    with app.app_context(), writing():
        db.session.execute(delete(OutgoingMail))

    assert f"{BROCHURE_MAIL}: {reference}" in broken_invariants(app)


@mostly_sqlite
@pytest.mark.parametrize("revision", REVISIONS)
def test_each_revision_with_rows_comes_up_to_date(old: Flask, revision: str) -> None:
    """Written as the first release wrote them, brought to that revision, then by today's program to the newest."""
    _fill(old)
    with old.app_context():
        upgrade(revision=revision)

    _upgrade(old)

    assert broken_invariants(old) == []
    assert _run(old, "ops", "check", "--fast")[1][-1].startswith("À savoir : 2 personnes")


@pytest.mark.parametrize("revision", ["0002", "0006", "0007", "0014"])
def test_revision_that_sent_mails_needs_every_mail(old: Flask, revision: str) -> None:
    """From 0002 on each form has its mails: what is missing then is broken."""
    _fill(old)
    with old.app_context():
        upgrade(revision=revision)
        for template, cause, lead in (
            ("brochure", "BRO-AAAAAA", 1),
            ("consent", "BRO-AAAAAA", 1),
            ("application", "CAN-AAAAAA", 2),
            ("consent", "CAN-AAAAAA", 2),
            ("alert", "JPO-AAAAAA", 3),
            ("alert", "JPO-BBBBBB", 3),
        ):
            _insert_mail(template, cause, lead, THEN)
        db.session.commit()

    _upgrade(old)

    assert broken_invariants(old) == [f"{BROCHURE_MAIL}: BRO-BBBBBB"]


def test_downgrade_and_upgrade_still_know_which_forms_need_no_mails(old: Flask) -> None:
    _fill(old)
    _upgrade(old)
    with old.app_context():
        downgrade(revision="0014")

    _upgrade(old)

    assert broken_invariants(old) == []


def test_bookmarks_stay_exact_and_unfinished_exports_go(old: Flask) -> None:
    _fill(old)
    with old.app_context():
        upgrade(revision="0020")
        _insert("staff", **_MEMBER, created_at=THEN)
        for wave in (1, 2):
            _insert("export_waves", at=THEN + timedelta(hours=wave))
        for submission_id, wave in ((1, 1), (5, 2)):
            db.session.execute(
                text("UPDATE submissions SET wave = :wave WHERE id = :id"), {"wave": wave, "id": submission_id}
            )
        _insert("export_marks", staff_id=1, form="brochure", wave=1, at=THEN + timedelta(hours=1))
        for state, fetched in (("removed", THEN), ("ready", None), ("running", None), ("failed", None)):
            _insert_export(state, fetched)
        db.session.commit()

    _upgrade(old)

    assert broken_invariants(old) == []
    with old.app_context():
        (kept,) = db.session.scalars(select(Export))
        assert (kept.kind, kept.row_count, kept.after_batch, kept.exported_at) == ("new", 1, 0, THEN)
        found = find_bookmark(db.session(), Owner(staff_id=1), FormName.BROCHURE)
        assert found == Position(batch=1, at=THEN + timedelta(hours=1))
        assert count_new(db.session(), FormName.BROCHURE, after=found.batch, limit=9) == 1
    result = old.test_cli_runner().invoke(
        args=["leads", "export", "--dialect", "rfc4180", "--form", "brochure", "--new", "crm"]
    )
    assert result.exit_code == 0, result.output
    assert [line[:10] for line in result.stdout.splitlines()[1:]] == ["BRO-AAAAAA", "BRO-BBBBBB"]


def test_files_that_an_earlier_release_prepared_are_gone_at_the_start(
    make_app: Callable[..., Flask], environ: Environ
) -> None:
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "exports"
    folder.mkdir()
    token = "x" * 30 + "-_"
    for name in (f"{token}.1.csv", f".{token}.2.csv.abc_d3.tmp", "contacts.csv"):
        (folder / name).write_text("Zoé")

    make_app()
    assert [path.name for path in folder.iterdir()] == ["contacts.csv"]

    (folder / "contacts.csv").unlink()
    make_app()
    assert not folder.exists()


def _fill(app: Flask) -> None:
    """Five forms of three people, and one held back, as the first release wrote them."""
    with app.app_context():
        for name in ("lea", "max", "ana"):
            values = {"first_name": name.title(), "last_name": "Lefèvre", "email": f"{name}@exemple.fr"}
            _insert(
                "leads",
                **values,
                email_key=values["email"],
                needs_review=False,
                created_at=THEN,
                last_contact_at=THEN,
            )
        forms = {"BRO": "brochure", "CAN": "application", "JPO": "open-day"}
        for reference, lead_id in (
            ("BRO-AAAAAA", 1), ("CAN-AAAAAA", 2), ("JPO-AAAAAA", 3), ("JPO-BBBBBB", 3), ("BRO-BBBBBB", 3), ("BRO-CCCCCC", None),
        ):  # fmt: skip
            _insert_submission(reference, forms[reference[:3]], lead_id)
        for submission_id in (3, 4):
            _insert("open_day_alerts", submission_id=submission_id, lead_id=3, created_at=THEN)
        for channel in ("email", "phone"):
            _insert("consent_wordings", channel=channel, purpose="news", version="1", text="J’accepte.")
        for lead_id, wording_id, channel in ((1, 1, "email"), (2, 1, "email"), (2, 2, "phone")):
            _insert(
                "consents",
                lead_id=lead_id,
                submission_id=lead_id,
                channel=channel,
                wording_id=wording_id,
                given_at=THEN,
            )
        db.session.commit()


def _insert_submission(reference: str, form: str, lead_id: int | None) -> None:
    name = {1: "lea", 2: "max", 3: "ana", None: "robot"}[lead_id]
    answers = {"open-day": {"slot_id": None, "companions": 0}, "application": {"birth_date": "2004-05-12"}}
    attribution = (
        "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer_host", "article", "embed_host",
    )  # fmt: skip
    _insert(
        "submissions",
        reference=reference,
        form=form,
        status="received" if lead_id else "quarantined",
        submitted_at=THEN,
        lead_id=lead_id,
        form_nonce=reference,
        answers_digest="0" * 64,
        first_name=name.title(),
        last_name="Lefèvre",
        email=f"{name}@exemple.fr",
        answers=answers.get(form, {}),
        landing_path="/",
        **dict.fromkeys(attribution, ""),
    )


def _insert_export(state: str, fetched_at: datetime | None) -> None:
    """An export of what was new, as the program wrote it that prepared them in the background."""
    times = dict.fromkeys(("asked_at", "beat_at", "cut_at", "ready_at"), THEN)
    fetched = {"fetched_at": fetched_at} if fetched_at else {}
    values = {"kind": "new", "form": "brochure", "filter": {}, "dialect": "rfc4180", "attempts": 1, "written": 1}
    more = {"failure": "", "after_wave": 0, "upto_wave": 1, "token": state, "staff_id": 1}
    _insert("exports", state=state, **values, **more, **times, **fetched)


def _make_sample(*, lead_id: int, at: datetime) -> None:
    """As `ops sample` writes one: of the past, its mail having left at that moment."""
    time = DateTime(timezone=True)
    leads = table("leads", column("id"), column("is_sample", Boolean()), column("created_at", time))
    sent = column("submitted_at", time)
    submissions = table("submissions", column("lead_id"), column("is_sample", Boolean()), sent)
    db.session.execute(update(leads).where(leads.c.id == lead_id).values(is_sample=True, created_at=at))
    db.session.execute(
        update(submissions).where(submissions.c.lead_id == lead_id).values(is_sample=True, submitted_at=at)
    )


def _insert_mail(template: str, cause: str, lead_id: int, at: datetime) -> None:
    times = dict.fromkeys(("decided_at", "due_at", "sent_at"), at)
    _insert(
        "outgoing_mails",
        template=template,
        cause=cause,
        audience="lead",
        lead_id=lead_id,
        key="k",
        status="sent",
        attempts=1,
        **times,
    )


def _insert(name: str, /, **values: Any) -> None:
    """By columns of now and then: today's models know others."""
    types: dict[type, Any] = {datetime: DateTime(timezone=True), dict: JSON(), bool: Boolean()}
    columns: list[ColumnClause[Any]] = [
        column(key, types.get(type(value), NullType())) for key, value in values.items()
    ]
    db.session.execute(table(name, *columns).insert().values(values))


def _ask(app: Flask, email: str) -> str:
    """Ask for the brochure, agreeing to e-mails; the reference."""
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    sent = client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"email": email, "email_consent": "y"})
    assert sent.status == 303
    with app.app_context():
        newest = select(Submission.reference).order_by(Submission.id.desc()).limit(1)
        return str(db.session.scalars(newest).one())


def _pages(app: Flask, *paths: str) -> list[Page]:
    """As admissions see them."""
    email = f"{len(paths)}-{abs(hash(paths))}@ecole.example"
    add_member(app, Role.ADMISSIONS, email=email)
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    assert enter(client, email=email).status == 303
    return [client.page(path) for path in paths]


def _upgrade(app: Flask) -> None:
    with app.app_context():
        upgrade()
        db.session.remove()


def _run(app: Flask, *arguments: str) -> tuple[int, list[str]]:
    result = app.test_cli_runner().invoke(args=arguments)
    plain = result.output.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    return result.exit_code, plain.splitlines()
