"""Whoever was erased after an archive was made isn't brought back by it, on both engines."""

import json
from pathlib import Path

from flask import Flask

from microsite import create_app
from microsite.backups.archive import read_part
from microsite.db import db, writing
from microsite.erasing import erase
from microsite.keys import ERASURE_FILE
from microsite.privacy.suppression import entries, erasure_key
from microsite.web.context import utc_now

from ..answers import export
from ..conftest import Environ
from ..page import CheckedClient
from ..privacy.owners import MAX, ZOE, ask_brochure
from .shelf import FORCED, back_up, elsewhere, let_go, refused, told


def _erase(app: Flask, email: str) -> None:
    with app.app_context(), writing():
        erase(db.session(), email, key=erasure_key(Path(app.instance_path)), now=utc_now())
    let_go(app)


def _emails(app: Flask) -> list[str]:
    found = sorted(row["email"] for row in export(app))
    let_go(app)
    return found


def test_restore_erases_again_who_was_erased_since(app: Flask, client: CheckedClient) -> None:
    for email in (ZOE, MAX, "lou@exemple.fr"):
        ask_brochure(client, email=email)
    archive = back_up(app)
    _erase(app, ZOE)
    ask_brochure(client, email=MAX, first_name="Maxime")
    let_go(app)

    assert "Effacés de nouveau : 1 contacts, 1 demandes." in told(app, "restore", str(archive), *FORCED)

    assert _emails(app) == ["lou@exemple.fr", MAX]
    database = Path(app.instance_path) / "microsite.sqlite3"
    if database.exists():
        assert ZOE.encode() not in database.read_bytes()
    with app.app_context():
        assert len(entries(db.session())) == 1
    let_go(app)
    # Who asks again is welcome, and stays so.
    ask_brochure(client, email=ZOE)
    again = back_up(app)
    let_go(app)
    assert "Effacés de nouveau : 0 contacts" in told(app, "restore", str(again), *FORCED)
    assert ZOE in _emails(app)


def test_newer_archives_know_who_was_erased_when_the_database_is_lost(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """On a new machine, with the folder of archives alone."""
    ask_brochure(client, email=ZOE)
    ask_brochure(client, email=MAX)
    old = back_up(app)
    _erase(app, ZOE)
    listed = read_part(back_up(app), "erasures.json")
    assert listed is not None
    assert len(json.loads(listed)) == 1
    assert ZOE.encode() not in listed
    let_go(app)
    other = create_app(elsewhere(environ, tmp_path))

    told(other, "restore", str(old))

    assert _emails(other) == [MAX]


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
