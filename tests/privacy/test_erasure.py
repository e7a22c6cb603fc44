"""One person's copy holds all that is theirs, and their erasure leaves nothing of it, in no table and no file."""

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from microsite.config import Settings
from microsite.db import Base, db, reading, writing
from microsite.formatters import PARIS
from microsite.leads.models import Lead, Submission
from microsite.leads.normalise import email_key
from microsite.outbox.delivery import deliver_next
from microsite.outbox.models import OutgoingMail
from microsite.outbox.transports import FileTransport, MemoryTransport
from microsite.privacy.cleanup import clean_up
from microsite.privacy.data_export import ANSWER_NAMES, COLUMN_NAMES
from microsite.privacy.erased_addresses import erasure_key, list_entries, merge_entries
from microsite.privacy.erasure import erase_person, reapply_erasures
from microsite.privacy.personal_data import PERSONAL
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import BROCHURE, only, plan_slot
from ..page import CheckedClient
from .owners import MAX, ask_brochure, register, rows, space_of, state_of
from .whole_person import EMAIL, GUARDIAN, live_through_everything, traces

ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])
# Of people, and kept after an erasure: as a keyed hash, as the key of a mail's file until that has gone, as the date of
# what they asked.
KEPT = {"erased_addresses", "leftovers"}
PARTS = (
    "fiche", "mots_de_recherche", "demandes", "envois_retenus", "accords", "inscriptions", "alertes",
    "ouvertures_de_la_brochure", "messages", "demandes_sur_les_données", "liens_demandés",
)  # fmt: skip


def run(app: Flask, *args: str, **options: Any) -> Any:
    return app.test_cli_runner().invoke(args=["privacy", *args], **options)


def erase_now(app: Flask, address: str) -> None:
    with app.app_context():
        with writing():
            erase_person(db.session(), address, key=erasure_key(_instance(app)), now=utc_now())
        clean_up(_instance(app), now=utc_now())


def _instance(app: Flask) -> Path:
    settings: Settings = app.extensions["settings"]
    return settings.instance_path


def _leaves(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {leaf for item in value.values() for leaf in _leaves(item)}
    if isinstance(value, list):
        return {leaf for item in value for leaf in _leaves(item)}
    return {str(value)}


def _people_tables() -> dict[str, set[str]]:
    """Columns about leads, by table, as the table of personal data has them."""
    columns: dict[str, set[str]] = {}
    for held in PERSONAL:
        if held.people in ("leads", "guardians") or held.place in COLUMN_NAMES:
            columns.setdefault(held.place, set()).update(held.columns)
    return {table: names for table, names in columns.items() if table not in KEPT}


def test_every_column_about_a_person_has_its_name_in_their_copy() -> None:
    about = {held for held in PERSONAL if held.people.name in ("LEADS", "GUARDIANS")}
    named = {(held.place, column) for held in about for column in held.columns if held.place not in KEPT}

    assert len(named) > 80
    assert {(table, column) for table, column in named if column not in COLUMN_NAMES.get(table, {})} == set()
    assert {key for held in about for key in held.keys} == set(ANSWER_NAMES)


def test_copy_holds_everything_and_erasure_leaves_nothing(client: CheckedClient, app: Flask, tmp_path: Path) -> None:
    space = live_through_everything(client, app)
    assert [row.kind for row in rows(app)["exports"]] == ["view"]
    file = tmp_path / "copie.json"

    result = run(app, "export", f" {EMAIL.replace('Z', 'z').replace('E', 'e')} ", "--output", str(file))

    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    copy = json.loads(file.read_text())
    assert copy["document"]["finalités_durées_et_droits"].startswith("http://127.0.0.1:8000/")
    assert [part for part in PARTS if not copy[part]] == []
    assert "+" in copy["fiche"][0]["premier_contact_le"]
    assert copy["accords"][0]["texte"].startswith("J’ai 15 ans ou plus")
    kept = rows(app)
    given = _leaves(copy)
    for table, names in COLUMN_NAMES.items():
        texts = {str(getattr(row, name)) for row in kept[table] for name in names if name in row._fields}
        plain = {text for text in texts if not any(char in text for char in ":{") and not text.islower()}
        assert plain - given == set(), table

    guarded = run(app, "export", GUARDIAN["guardian_email"].upper()).output
    assert "responsable légal" in guarded
    assert next(row.reference for row in kept["submissions"] if row.form == "application") in guarded

    assert run(app, "erase", EMAIL, input="\n").exit_code == 1
    erased = run(app, "erase", EMAIL, input="oui\n")

    assert erased.exit_code == 0, erased.output
    assert "4 : demandes" in erased.output.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ")
    assert "Zénobie" not in erased.output
    left = rows(app)
    for table in COLUMN_NAMES:
        assert [row for row in left[table] if getattr(row, "lead_id", 0) is not None] == [], table
    request = only(left["privacy_requests"])
    assert (request.lead_id, request.done_at is not None) == (None, True)
    assert only(left["erased_addresses"]).digest not in str(copy)
    assert left["leftovers"] == []
    page = client.page(space)
    assert page.status == 410
    assert "effacées" in page.text
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        assert traces(_instance(app)) == []
    assert run(app, "export", EMAIL).exit_code == 1
    assert "ne sait rien" in run(app, "export", GUARDIAN["guardian_email"]).output
    assert "ne sait rien" in run(app, "erase", EMAIL, "--yes").output


def test_others_stay_as_they_were_and_months_keep_their_totals(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=2)
    ask_brochure(client, email=MAX, first_name="Max", utm_campaign="été")
    register(app, slot, email=MAX)
    waits = register(app, plan_slot(app, capacity=1, day="2099-03-08"), email="ana@exemple.fr")
    before = rows(app)
    form = client.page("/brochure?utm_campaign=rentree&utm_source=instagram").form("/brochure")
    client.follow(client.send(form, **BROCHURE))
    form = client.page("/brochure?utm_campaign=zoe@exemple.fr").form("/brochure")
    client.follow(client.send(form, **BROCHURE))

    erase_now(app, "zoe@exemple.fr")

    after = rows(app)
    changing = {"past_submissions", "erased_addresses", "audit_log", "export_batches", "consent_wordings"}
    assert {table: found for table, found in after.items() if table not in changing} == {
        table: found for table, found in before.items() if table not in changing
    }
    assert state_of(app, waits) == "confirmed"
    month = utc_now().astimezone(PARIS).date().replace(day=1)
    assert {(row.month, row.campaign, row.count) for row in after["past_submissions"]} == {
        (month, "rentree", 1),
        (month, "", 1),
    }


def test_seat_of_an_erased_person_is_offered_to_who_waits(app: Flask, client: CheckedClient) -> None:
    slot = plan_slot(app, capacity=1)
    register(app, slot)
    waiting = register(app, slot, email=MAX)

    erase_now(app, "zoe@exemple.fr")

    assert state_of(app, waiting) == "offered"
    assert "offer" in {row.template for row in rows(app)["outgoing_mails"]}


def test_mail_in_the_workers_hands_leaves_no_file(app: Flask, client: CheckedClient) -> None:
    ask_brochure(client)
    folder = _instance(app) / "mails"

    class Slow(FileTransport):
        def send(self, message: Any) -> None:
            super().send(message)
            # Between the sending and the note.
            erase_now(app, "zoe@exemple.fr")

    app.extensions["outbox"].transport = Slow(folder)
    with app.app_context():
        deliver_next()

    assert list(folder.glob("*")) == []
    assert rows(app)["outgoing_mails"] == []


def test_digest_that_told_of_an_erased_person_goes(make_app: Any, app: Flask) -> None:
    hourly = make_app(MICROSITE_NOTIFY_ADMISSIONS="hourly")
    client = hourly.test_client()
    ask_brochure(client)
    with hourly.app_context(), writing():
        db.session.execute(update(OutgoingMail).values(due_at=utc_now() - timedelta(minutes=1)))
    Worker(hourly).run("mails")
    assert len(list((_instance(hourly) / "mails").glob("*.digest.*.eml"))) == 1

    erase_now(hourly, "zoe@exemple.fr")

    assert list((_instance(hourly) / "mails").glob("*.eml")) == []


def test_restored_person_goes_again_and_who_came_back_stays(
    app: Flask, client: CheckedClient, sent: MemoryTransport
) -> None:
    ask_brochure(client)
    ask_brochure(client, email=MAX)
    erase_now(app, "zoe@exemple.fr")
    with app.app_context(), reading():
        listed = list_entries(db.session())
        key = erasure_key(_instance(app))
    # What a backup of before brings back: the person, something held back, and nothing on the list.
    ask_brochure(client)
    ask_brochure(client, topic="Buy now", email="ZOE@exemple.fr")
    with app.app_context(), writing():
        _date_back(db.session(), "zoe@exemple.fr")
        db.session.execute(delete(Base.metadata.tables["erased_addresses"]))

    with app.app_context(), writing():
        merge_entries(db.session(), listed)
        merge_entries(db.session(), listed)
        first = reapply_erasures(db.session(), key=key, now=utc_now())
        again = reapply_erasures(db.session(), key=key, now=utc_now())

    assert (first["leads"], first["submissions"]) == (1, 2)
    assert again == {}
    assert [row.email for row in rows(app)["submissions"]] == [MAX]

    ask_brochure(client, first_name="Zoé-Ancienne")
    with app.app_context(), writing():
        _date_back(db.session(), "zoe@exemple.fr")
    old = space_of(app)
    ask_brochure(client, first_name="Zoé-Nouvelle", phone="0612345678")
    with app.app_context(), writing():
        reapply_erasures(db.session(), key=key, now=utc_now())

    stayed = only([row for row in rows(app)["leads"] if row.email == "zoe@exemple.fr"])
    assert (stayed.first_name, stayed.phone) == ("Zoé-Nouvelle", "+33612345678")
    assert [row.first_name for row in rows(app)["submissions"]] == [BROCHURE["first_name"], "Zoé-Nouvelle"]
    assert "ancienne" not in {row.word for row in rows(app)["lead_words"]}
    assert client.page(old).status == 410


def _date_back(session: Any, address: str) -> None:
    """As if all of it came a day ago."""
    day = timedelta(days=1)
    for lead in session.scalars(select(Lead).where(Lead.email_key == email_key(address))):
        lead.created_at -= day
        lead.last_contact_at -= day
    for submission in session.scalars(select(Submission)):
        if email_key(submission.email) == email_key(address):
            submission.submitted_at -= day


def test_list_takes_no_entry_that_is_none(app: Flask) -> None:
    for entry in ({"digest": "zoe@exemple.fr", "erased_at": "2027-01-04T09:00:00+00:00"},
                  {"digest": "0" * 64, "erased_at": "2027-01-04T09:00:00"}):  # fmt: skip
        with app.app_context(), pytest.raises(ValueError, match=r"entry|time"), writing():
            merge_entries(db.session(), [entry])
