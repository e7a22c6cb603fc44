"""ops backup and ops restore: what was saved comes back, and nothing is lost on the way, on both engines."""

import shutil
import stat
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select

from microsite import create_app
from microsite.backoffice.models import Role, StaffSession
from microsite.brochures.services import FOLDER as BROCHURES
from microsite.db import db
from microsite.file_lock import locked
from microsite.leads.models import Submission
from microsite.operations import replacement
from microsite.operations.postgresql import LOCK, restore_lock

from ..answers import BROCHURE, export, plan_slot
from ..backoffice.conftest import add_member, address, enter
from ..conftest import Environ
from ..page import CheckedClient
from ..privacy.owners import ask_brochure, register
from ..served import free_port
from ..trouble import filled_up, integrity, small_disk
from .shelf import FORCED, back_up, elsewhere, kept, let_go, new_database, refused, told


def _fill(app: Flask, client: CheckedClient) -> None:
    """Something in most tables, and files of the school's own."""
    ask_brochure(client, email_consent="y", phone_consent="y", phone="06 12 34 56 78")
    register(app, plan_slot(app, capacity=5), companions=1)
    add_member(app, Role.ADMISSIONS)
    instance = Path(app.instance_path)
    (instance / "content" / "articles").mkdir(parents=True)
    (instance / "content" / "articles" / "essai.md").write_text("x")
    (instance / BROCHURES).mkdir()
    (instance / BROCHURES / f"{'a' * 64}.pdf").write_bytes(b"%PDF-1.7")
    (instance / "brochure.pdf").write_bytes(b"%PDF-1.7 own")


def _files(instance: Path) -> dict[str, bytes]:
    wanted = ("secret_key", "brochure.pdf", "content/articles/essai.md", f"{BROCHURES}/{'a' * 64}.pdf")
    return {name: (instance / name).read_bytes() for name in wanted if (instance / name).exists()}


def test_what_was_saved_comes_back(app: Flask, client: CheckedClient, environ: Environ) -> None:
    _fill(app, client)
    instance = Path(environ["MICROSITE_INSTANCE_PATH"])
    (instance / "content" / "articles" / "essai.md").unlink()
    archive = back_up(app)
    before, files = kept(app), _files(instance)
    ask_brochure(client, email="max@exemple.fr")
    (instance / "brochure.pdf").unlink()
    shutil.rmtree(instance / BROCHURES)

    assert "restaurable ici" in told(app, "restore", str(archive), "--check-only")
    assert "la base contient déjà des données" in refused(app, "restore", str(archive))
    assert len(export(app)) == 3
    let_go(app)
    told(app, "restore", str(archive), *FORCED)

    assert kept(app) == before
    assert _files(instance) == files
    ask_brochure(client, email="lou@exemple.fr")
    assert len(export(app)) == 3
    left = {path.name for path in instance.iterdir()}
    assert not {name for name in left if "restore" in name and name != "serve.lock"}
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (*instance.glob("*.sqlite3"), archive)}
    assert modes == {(False, 0o600)}
    assert stat.S_IMODE(archive.parent.stat().st_mode) == 0o700


def test_backup_moves_to_a_new_machine_with_its_key(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    _fill(app, client)
    (Path(app.instance_path) / "content" / "articles" / "essai.md").unlink()
    archive, before = back_up(app), kept(app)
    other = create_app(elsewhere(environ, tmp_path))

    told(other, "restore", str(archive))

    assert kept(other) == before
    assert _files(Path(other.instance_path)) == _files(Path(app.instance_path))
    let_go(other)


def test_key_that_was_replaced_does_not_come_back(app: Flask, client: CheckedClient) -> None:
    ask_brochure(client)
    archive = back_up(app)
    key = Path(app.instance_path) / "secret_key"
    key.write_text("k" * 64)
    let_go(app)

    told(app, "restore", str(archive), *FORCED)

    assert key.read_text() == "k" * 64


def test_restore_signs_everybody_out(app: Flask, client: CheckedClient) -> None:
    add_member(app, Role.ADMISSIONS)
    enter(client, email=address(Role.ADMISSIONS))
    archive = back_up(app)
    let_go(app)

    told(app, "restore", str(archive), *FORCED)

    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(StaffSession)) == 0


def test_older_revision_is_brought_up_to_date(app: Flask, client: CheckedClient, environ: Environ) -> None:
    ask_brochure(client)
    with app.app_context():
        downgrade(revision="0010")
    archive = back_up(app)
    with app.app_context():
        upgrade()
    let_go(app)

    assert "version 0010" in told(app, "restore", str(archive), *FORCED)

    assert len(export(app)) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_restore_waits_for_no_server_and_runs_beside_none(app: Flask, client: CheckedClient) -> None:
    ask_brochure(client)
    archive = back_up(app)
    with locked(Path(app.instance_path) / replacement.SERVE_LOCK):
        assert "le site est servi" in refused(app, "restore", str(archive), *FORCED)


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_server_of_another_machine_is_noticed_by_its_connections(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    ask_brochure(client)
    archive = back_up(app)
    other = create_app(environ | {"MICROSITE_INSTANCE_PATH": str(tmp_path / "other")})
    with other.app_context():
        db.session.scalar(select(Submission.id))
        assert "arrêtez-le d’abord" in refused(app, "restore", str(archive), *FORCED)
    let_go(other)


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_restore_on_another_machine_is_waited_for(app: Flask, client: CheckedClient, environ: Environ) -> None:
    ask_brochure(client)
    archive = back_up(app)
    before = kept(app)
    with psycopg.connect(environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert "une autre restauration est en cours" in refused(app, "restore", str(archive), *FORCED)
        server = create_app(environ | {"PORT": str(free_port())})
        assert "une restauration est en cours" in server.test_cli_runner().invoke(args=["serve"]).stderr
        let_go(server)

    assert kept(app) == before


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_sqlite_archive_moves_to_postgresql(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path, postgresql_url: str
) -> None:
    """With every row, and ids that go on where they were."""
    _fill(app, client)
    (Path(app.instance_path) / "content" / "articles" / "essai.md").unlink()
    archive, before = back_up(app), kept(app)
    url = new_database(postgresql_url, tmp_path)
    moved = create_app(environ | {"DATABASE_URL": url})
    moved.test_client_class = CheckedClient

    told(moved, "restore", str(archive))

    assert kept(moved) == before
    visitor = moved.test_client()
    assert isinstance(visitor, CheckedClient)
    ask_brochure(visitor, email="lou@exemple.fr")
    register(moved, plan_slot(moved, capacity=5, day="2099-05-09"))
    assert len(export(moved)) == 4
    back = back_up(moved)
    let_go(moved)
    assert "elle vient de PostgreSQL" in refused(app, "restore", str(back), *FORCED)


def test_what_fails_on_the_way_leaves_what_was_there(app: Flask, client: CheckedClient) -> None:
    """Content that the site refuses, found once the database is laid out."""
    ask_brochure(client)
    (Path(app.instance_path) / "content").mkdir()
    school = Path(app.instance_path) / "content" / "school.toml"
    school.write_text("name = 1")
    archive = back_up(app)
    school.unlink()
    ask_brochure(client, email="max@exemple.fr")
    before = kept(app)
    secret = archive.read_bytes()

    result = app.test_cli_runner().invoke(args=["ops", "restore", str(archive), *FORCED])

    if app.extensions["settings"].database_url:
        assert result.exit_code == 0
    else:
        assert "school.toml" in str(result.exception) + result.output
        assert kept(app) == before
    assert archive.read_bytes() == secret


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_restore_that_was_decided_is_ended_by_whoever_starts_next(
    app: Flask, client: CheckedClient, environ: Environ
) -> None:
    """Killed right after the decision; then again, half-way through what follows it."""
    ask_brochure(client)
    archive, instance = back_up(app), Path(app.instance_path)
    let_go(app)
    for moved_before_the_kill in (False, True):
        database, stage = instance / "microsite.sqlite3", replacement.new_stage(instance)
        shutil.copy(database, replacement.prepared_database(database))
        ask_brochure(client, email=f"max{moved_before_the_kill}@exemple.fr")
        (stage / "brochure.pdf").write_bytes(b"restored")
        stage.rename(instance / ".restore-ready")
        if moved_before_the_kill:
            (instance / ".restore-ready" / "brochure.pdf").rename(instance / "brochure.pdf")
        let_go(app)

        again = create_app(environ)

        assert [row["email"] for row in export(again)] == [BROCHURE["email"]]
        let_go(again)
        assert (instance / "brochure.pdf").read_bytes() == b"restored"
        assert integrity(instance) == "ok"
        assert not list(instance.glob(".restore*"))
    assert archive.exists()


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_full_disk_makes_no_half_archive_and_no_half_restore(
    app: Flask, client: CheckedClient, environ: Environ
) -> None:
    ask_brochure(client)
    instance = Path(app.instance_path)
    archive = back_up(app)
    elsewhere_safe = shutil.copy(archive, instance.parent)
    let_go(app)
    files = {name: (instance / name).read_bytes() for name in ("microsite.sqlite3", "secret_key", "erasure_key")}
    with small_disk(instance, megabytes=3):
        for name, content in files.items():
            (instance / name).write_bytes(content)
        full = create_app(environ)
        with filled_up(instance):
            assert "rien n’a été sauvegardé" in refused(full, "backup")
            assert "Rien n’a changé" in refused(full, "restore", str(elsewhere_safe), *FORCED)
        assert integrity(instance) == "ok"
        assert not list(instance.glob("backups/*")) + list(instance.glob("backups/.*"))
        assert len(export(full)) == 1
        let_go(full)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_damaged_database_makes_no_backup(app: Flask, client: CheckedClient) -> None:
    ask_brochure(client)
    let_go(app)
    database = Path(app.instance_path) / "microsite.sqlite3"
    content = bytearray(database.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    database.write_bytes(content)

    assert "rien n’a été sauvegardé" in refused(app, "backup")
    assert not list((Path(app.instance_path) / "backups").iterdir())


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_missing_pg_dump_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "pg_dump est introuvable" in refused(app, "backup")

    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    old.chmod(0o755)
    assert "pg_dump est en version 9, le serveur PostgreSQL en version" in refused(app, "backup")


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_lock_is_free_as_soon_as_a_restore_ends(app: Flask) -> None:
    """Its connection's end is noticed later, where the server is busy: the lock must not wait for that."""
    with app.app_context():
        for _ in range(50):
            with restore_lock(db.engine, shared=False) as connection:
                held = connection
            assert held.closed
    let_go(app)
