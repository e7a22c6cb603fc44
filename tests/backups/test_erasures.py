"""Whoever was erased after an archive was made isn't brought back by it, on both engines."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from microsite import create_app
from microsite.db import db, writing
from microsite.keys import ERASURE_FILE
from microsite.operations.archive import Manifest, digests, pack, read_parts, unpack
from microsite.privacy.erased_addresses import erasure_key, list_entries
from microsite.privacy.erasure import erase_person
from microsite.web.context import utc_now

from ..conftest import Environ
from ..page import CheckedClient
from ..privacy.owners import MAX, ZOE, ask_brochure
from .shelf import FORCED, back_up, elsewhere, emails, let_go, refused, told


def _erase(app: Flask, email: str) -> None:
    with app.app_context(), writing():
        erase_person(db.session(), email, key=erasure_key(Path(app.instance_path)), now=utc_now())
    let_go(app)


def test_restore_erases_again_who_was_erased_since(app: Flask, client: CheckedClient) -> None:
    for email in (ZOE, MAX, "lou@exemple.fr"):
        ask_brochure(client, email=email)
    archive = back_up(app)
    _erase(app, ZOE)
    ask_brochure(client, email=MAX, first_name="Maxime")
    let_go(app)

    assert "Effacés de nouveau : 1 contacts, 1 demandes." in told(app, "restore", str(archive), *FORCED)

    assert emails(app) == ["lou@exemple.fr", MAX]
    database = Path(app.instance_path) / "microsite.sqlite3"
    if database.exists():
        assert ZOE.encode() not in database.read_bytes()
    with app.app_context():
        assert len(list_entries(db.session())) == 1
    let_go(app)
    # Who asks again is welcome, and stays so.
    ask_brochure(client, email=ZOE)
    again = back_up(app)
    let_go(app)
    assert "Effacés de nouveau : 0 contacts" in told(app, "restore", str(again), *FORCED)
    assert ZOE in emails(app)


def test_newer_archives_know_who_was_erased_when_the_database_is_lost(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """On a new machine, with the folder of archives alone."""
    ask_brochure(client, email=ZOE)
    ask_brochure(client, email=MAX)
    old = back_up(app)
    _erase(app, ZOE)
    listed = read_parts(back_up(app), "erasures.json").get("erasures.json")
    assert listed is not None
    assert len(json.loads(listed)) == 1
    assert ZOE.encode() not in listed
    let_go(app)
    other = create_app(elsewhere(environ, tmp_path))

    told(other, "restore", str(old))

    assert emails(other) == [MAX]


def test_restore_is_refused_with_a_key_that_is_not_the_databases(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """Nobody on the database's own list would be recognised."""
    ask_brochure(client, email=ZOE)
    _erase(app, ZOE)
    archive = back_up(app)
    ask_brochure(client, email=MAX)
    _erase(app, MAX)
    (Path(app.instance_path) / ERASURE_FILE).write_text("k" * 64)
    let_go(app)

    assert "la clé d’effacement diffère" in refused(app, "restore", str(archive), *FORCED)


ONE, OTHER = "paul@strasse-ecole.fr", "paul@straße-ecole.fr"


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    """Up to date again for the next test, which may be of the same PostgreSQL database."""
    yield app
    let_go(app)
    with app.app_context():
        upgrade()


def _back_to_folded_keys(app: Flask) -> None:
    with app.app_context():
        let_go(app)
        downgrade(revision="0014")
    let_go(app)


def _erase_as_before(app: Flask, email: str) -> None:
    """What an erasure left in the list until migration 0015."""
    digest = hmac.new(
        erasure_key(Path(app.instance_path)).current.encode(), email.casefold().encode(), hashlib.sha256
    ).hexdigest()
    with app.app_context(), writing():
        listed = "INSERT INTO erased_addresses (digest, erased_at) VALUES (:digest, :at)"
        at = utc_now() if db.engine.dialect.name == "postgresql" else f"{utc_now():%Y-%m-%d %H:%M:%S.%f}"
        db.session.execute(text(listed), {"digest": digest, "at": at})
    let_go(app)


def _as_made_before(archive: Path, tmp_path: Path) -> None:
    """The archive with a list of the erased as it was written until migration 0015."""
    folder = tmp_path / "parts"
    folder.mkdir()
    manifest = unpack(archive, folder)
    assert manifest.revision == "0014"
    listed = json.loads((folder / "erasures.json").read_text())
    for entry in listed:
        assert entry.pop("is_casefolded") is True
    (folder / "erasures.json").write_text(json.dumps(listed))
    parts = digests(folder)
    made = Manifest(made_at=manifest.made_at, engine=manifest.engine, revision=manifest.revision, parts=parts)
    with archive.open("wb") as stream:
        pack(folder, made, stream)


def test_archive_of_folded_keys_brings_nobody_back_who_was_erased_before_or_after_the_migration(
    app: Flask, client: CheckedClient, tmp_path: Path
) -> None:
    for email in (OTHER, "Élodie@exemple.fr", "élodie@exemple.fr", MAX):
        ask_brochure(client, email=email)
    _back_to_folded_keys(app)
    archive = back_up(app)
    _as_made_before(archive, tmp_path)
    # Who was erased then can't be told from whoever had the same key.
    _erase_as_before(app, ONE)
    with app.app_context():
        upgrade()
    let_go(app)
    # Now there is somebody else, of whom nothing is to go.
    _erase(app, "Élodie@exemple.fr")

    assert "Effacés de nouveau : 2 contacts, 2 demandes." in told(app, "restore", str(archive), *FORCED)

    assert emails(app) == [MAX, "élodie@exemple.fr"]
    with app.app_context():
        assert sorted(entry["is_casefolded"] for entry in list_entries(db.session())) == [False, True]
    let_go(app)


def test_newer_archive_of_folded_keys_knows_who_was_erased_when_the_database_is_lost(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    for email in (OTHER, MAX):
        ask_brochure(client, email=email)
    _back_to_folded_keys(app)
    old = back_up(app)
    _erase_as_before(app, OTHER)
    _as_made_before(back_up(app), tmp_path)
    let_go(app)
    other = create_app(elsewhere(environ, tmp_path))

    told(other, "restore", str(old))

    assert emails(other) == [MAX]


def test_list_of_an_installation_that_waits_for_its_migration_counts(app: Flask, client: CheckedClient) -> None:
    for email in (OTHER, MAX):
        ask_brochure(client, email=email)
    _back_to_folded_keys(app)
    archive = back_up(app)
    _erase_as_before(app, OTHER)

    assert "Effacés de nouveau : 1 contacts" in told(app, "restore", str(archive), *FORCED)

    assert emails(app) == [MAX]


def test_archive_whose_leads_shared_two_mailboxes_is_restored_with_each_in_its_own(
    app: Flask, client: CheckedClient
) -> None:
    for _ in range(2):
        ask_brochure(client, email=ONE)
    with app.app_context(), writing():
        db.session.execute(text("UPDATE submissions SET email = :other WHERE id = 2"), {"other": OTHER})
    _back_to_folded_keys(app)
    archive = back_up(app)
    let_go(app)

    assert "Contacts séparés" in told(app, "restore", str(archive), *FORCED)

    _erase(app, ONE)
    assert emails(app) == [OTHER]
    again = told(app, "restore", str(archive), *FORCED)
    assert "Effacés de nouveau : 1 contacts, 1 demandes." in again
    assert emails(app) == [OTHER]


def test_entry_of_either_kind_counts_up_to_its_own_time(app: Flask, client: CheckedClient) -> None:
    """Of one digest there may be two entries: one folded, which is about both, and one about this mailbox alone."""
    _back_to_folded_keys(app)
    _erase_as_before(app, OTHER)
    with app.app_context():
        upgrade()
    let_go(app)
    for email in (ONE, OTHER):
        ask_brochure(client, email=email)
    archive = back_up(app)
    _erase(app, ONE)
    with app.app_context():
        listed = list_entries(db.session())
    assert len({entry["digest"] for entry in listed}) == 1
    assert [entry["is_casefolded"] for entry in listed] == [True, False]

    told(app, "restore", str(archive), *FORCED)

    assert emails(app) == [OTHER]


def test_undone_migration_keeps_the_later_entry_of_two(app: Flask, client: CheckedClient) -> None:
    _back_to_folded_keys(app)
    _erase_as_before(app, ONE)
    with app.app_context():
        upgrade()
    let_go(app)
    _erase(app, ONE)
    with app.app_context():
        later = list_entries(db.session())[1]["erased_at"]

    _back_to_folded_keys(app)

    with app.app_context():
        kept = list_entries(db.session())
    let_go(app)
    with app.app_context():
        upgrade()
    assert [(entry["erased_at"], entry["is_casefolded"]) for entry in kept] == [(later, True)]
