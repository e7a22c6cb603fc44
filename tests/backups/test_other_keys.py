"""Keys that aren't the database's: refused before anything is lost, mended by one command, and restored over, on both engines."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from microsite import create_app
from microsite.backoffice.models import Role
from microsite.config import PROJECT_ROOT
from microsite.operations.archive import read_parts
from microsite.operations.backup import find_backups

from ..backoffice.conftest import add_member, address, enter
from ..conftest import Environ
from ..engines import mostly_sqlite
from ..page import CheckedClient
from ..privacy.owners import MAX, ZOE, ask_brochure, rows, space_of
from ..served import clean_environ, free_port
from ..support.invariants import broken_invariants
from .shelf import (
    FORCED,
    KEYS,
    back_up,
    command,
    elsewhere,
    emails,
    erase,
    folder_of,
    forget_fingerprints,
    let_go,
    refused,
    told,
)

LOU = "lou@exemple.fr"


def _server(environ: Environ, folder: Path, *, keys_of: Path | None = None, **settings: str) -> Flask:
    """Another server of the same database, with an instance folder of its own."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in KEYS if keys_of else ():
        shutil.copy(keys_of / name, folder)  # type: ignore[operator]  # of a folder that is given
    url = environ.get("DATABASE_URL") or f"sqlite:///{environ['MICROSITE_INSTANCE_PATH']}/microsite.sqlite3"
    return create_app(environ | {"MICROSITE_INSTANCE_PATH": str(folder), "DATABASE_URL": url} | settings)


def _with_own_key(environ: Environ, folder: Path, name: str, *, keys_of: Path) -> Flask:
    """A server that made one of its keys itself, as each did before the database knew of them."""
    app = _server(environ, folder, keys_of=keys_of)
    (folder / name).write_text(f"{name[0] * 64}\n")
    return app


def _brought_up(environ: Environ) -> Flask:
    app = create_app(environ)
    app.test_client_class = CheckedClient
    with app.app_context():
        upgrade()
    return app


def _browser(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def test_new_installation_has_all_its_keys_before_anything_is_erased_or_saved(environ: Environ, tmp_path: Path) -> None:
    app = create_app(elsewhere(environ, tmp_path))

    made = {name: (folder_of(app) / name).read_text() for name in KEYS}
    assert {(folder_of(app) / name).stat().st_mode & 0o777 for name in KEYS} == {0o600}
    assert made["secret_key"] != made["erasure_key"]
    with app.app_context():
        upgrade()
    let_go(app)
    archive = back_up(app)

    assert {name: (folder_of(app) / name).read_text() for name in KEYS} == made
    assert {name: content.decode() for name, content in read_parts(archive, *KEYS).items()} == made
    kept = rows(app)["key_fingerprints"]
    let_go(app)
    assert sorted(row.name for row in kept) == sorted(KEYS)
    assert not [key for key in made.values() for row in kept if key.strip() in str(row)]


@pytest.mark.parametrize("name", KEYS)
def test_server_with_another_key_saves_and_erases_nothing_and_check_says_so(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path, name: str
) -> None:
    ask_brochure(client, email=ZOE)
    back_up(app)
    let_go(app)
    other = _with_own_key(environ, tmp_path / "b", name, keys_of=folder_of(app))

    says = refused(other, "backup")
    let_go(other)

    assert len(says.splitlines()) == 1
    assert f"flask ops adopt-key {name} -" in says
    assert "Rien n’a été sauvegardé." in says
    assert find_backups(tmp_path / "b" / "backups") == []
    code, _, said = command(other, "privacy", "erase", ZOE, "--yes")
    assert (code, "Rien n’est effacé." in said) == ((1, True) if name == "erasure_key" else (0, False))
    assert emails(app) == ([ZOE] if name == "erasure_key" else [])
    assert f"ops adopt-key {name} -" in command(other, "ops", "check", "--fast")[1]
    assert command(app, "ops", "check", "--fast")[1].count("adopt-key") == 0
    assert broken_invariants(app) == []
    let_go(app)
    answer = other.test_client().get("/readyz")
    let_go(other)
    assert (answer.status_code, answer.get_json()["database"]) == (503, "other keys")


@pytest.mark.parametrize("name", KEYS)
@mostly_sqlite
def test_server_with_another_key_does_not_start(app: Flask, environ: Environ, tmp_path: Path, name: str) -> None:
    back_up(app)
    let_go(app)
    other = _with_own_key(environ, tmp_path / "b", name, keys_of=folder_of(app))
    url = other.config["SQLALCHEMY_DATABASE_URI"]
    settings = {"MICROSITE_INSTANCE_PATH": other.instance_path, "DATABASE_URL": url, "PORT": str(free_port())}

    ended = subprocess.run(
        [sys.executable, "-m", "flask", "serve"],
        cwd=PROJECT_ROOT,
        env=clean_environ() | settings,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )

    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (1, "", 1)
    path = tmp_path / "b" / name
    assert f"ssh AUTRE_SERVEUR cat {path} | flask ops adopt-key {name} - (perdue partout" in ended.stderr


def test_back_office_erases_nobody_under_another_key(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    ask_brochure(client, email=ZOE)
    client.post(f"{space_of(app)}/donnees/effacement")
    add_member(app, Role.ADMISSIONS)
    back_up(app)
    let_go(app)
    other = _with_own_key(environ, tmp_path / "b", "erasure_key", keys_of=folder_of(app))
    other.test_client_class = CheckedClient
    desk = _browser(other)
    enter(desk, email=address(Role.ADMISSIONS))
    (asked,) = rows(other)["privacy_requests"]
    shown = f"/admissions/demandes-donnees/{asked.id}/effacement"

    page = desk.follow(desk.send(desk.page(shown).form(shown)))

    assert "Personne n’est effacé" in page.text
    assert "ops check" in page.text
    assert desk.page(shown).status == 200
    let_go(other)
    assert emails(app) == [ZOE]


@mostly_sqlite
def test_lost_key_is_not_made_anew_until_somebody_says_so(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    for email in (ZOE, MAX):
        ask_brochure(client, email=email)
    erase(app, ZOE)
    let_go(app)
    other = _server(environ, tmp_path / "b")
    for asked in (("ops", "backup"), ("privacy", "erase", MAX, "--yes")):
        code, _, said = command(other, *asked)
        assert (code, len(said.splitlines())) == (1, 1)
        assert "ops adopt-key secret_key -" in said or "ops adopt-key erasure_key -" in said
        assert said.index("adopt-key") < said.index("perdue partout") < said.index("ops adopt-key --help")
        assert "--lost" not in said
    assert not (tmp_path / "b" / "erasure_key").exists()
    code, said, _ = command(other, "ops", "adopt-key", "erasure_key", "--lost", input="\n")
    assert (code, (tmp_path / "b" / "erasure_key").exists()) == (1, False)

    code, said, _ = command(other, "ops", "adopt-key", "erasure_key", "--lost", input="oui\n")

    assert code == 0
    assert "ne sera plus reconnu" in said
    erase(other, MAX)
    assert "la clé erasure_key de ce serveur n’est pas celle de la base" in command(app, "ops", "check", "--fast")[1]
    assert "rien à faire" in told(other, "adopt-key", "erasure_key", "--lost", "--yes")
    let_go(other)


def test_installation_that_has_two_erasure_keys_keeps_both(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """As it was before: each server erased by a key of its own, and neither knew."""
    for email in (ZOE, MAX, LOU):
        ask_brochure(client, email=email)
    archive = back_up(app)
    erase(app, ZOE)
    other = _with_own_key(environ, tmp_path / "b", "erasure_key", keys_of=folder_of(app))
    forget_fingerprints(app)
    erase(other, MAX)
    forget_fingerprints(app)
    told(app, "backup")
    let_go(app)
    assert "n’est pas celle de la base" in refused(other, "backup")

    given = (folder_of(app) / "erasure_key").read_text()
    code, said, _ = command(other, "ops", "adopt-key", "erasure_key", "-", input=given)
    assert (code, str(tmp_path / "b" / "erasure_key") in said) == (0, True)
    told(other, "backup")
    let_go(other)
    assert "n’a pas toutes les clés de la base" in refused(app, "backup")
    assert "n’a pas toutes les clés de la base" in refused(app, "restore", str(archive), *FORCED)
    let_go(app)
    told(app, "adopt-key", "erasure_key", str(tmp_path / "b" / "erasure_key"))
    let_go(app)

    if "DATABASE_URL" in environ:
        told(other, "restore", str(archive), *FORCED)
        let_go(other)
        assert emails(other) == [LOU]
    assert told(app, "restore", str(archive), *FORCED).count("Effacés de nouveau : 2 contacts") == 1
    let_go(app)
    assert emails(app) == [LOU]
    keys = [(folder / "erasure_key").read_text().split()[0] for folder in (folder_of(app), tmp_path / "b")]
    assert keys[0] == keys[1] == given.split()[0]
    told(other, "backup")
    let_go(other)


def test_archive_restored_over_an_installation_with_other_keys_brings_nobody_back(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """Erased there after the archive, erased there before it, and erased here: all three stay so."""
    for email in (ZOE, MAX, LOU):
        ask_brochure(client, email=email)
    early = back_up(app)
    erase(app, ZOE)
    archive = back_up(app)
    let_go(app)
    here = _brought_up(elsewhere(environ, tmp_path))
    for email in (MAX, "ana@exemple.fr"):
        ask_brochure(_browser(here), email=email)
    let_go(here)
    erase(here, MAX)
    own = {name: (folder_of(here) / name).read_text() for name in KEYS}

    told(here, "restore", str(archive), *FORCED)

    assert emails(here) == [LOU]
    assert (folder_of(here) / "secret_key").read_text() == own["secret_key"]
    held = (folder_of(here) / "erasure_key").read_text().splitlines()
    assert held[0] == own["erasure_key"].strip()
    assert [line.split()[0] for line in held[1:]] == [(folder_of(app) / "erasure_key").read_text().strip()]
    told(here, "backup")
    assert broken_invariants(here) == []
    let_go(here)
    # Nor does an older one, of there or of here.
    told(here, "restore", str(early), *FORCED)
    assert emails(here) == [LOU]
    assert "adopt-key" not in command(here, "ops", "check", "--fast")[1]


def test_adopted_key_erases_again_whom_a_restore_had_brought_back(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """It happened before the database knew of keys: on its list, and back all the same."""
    for email in (ZOE, MAX):
        ask_brochure(client, email=email)
    archive = back_up(app)
    other = _with_own_key(environ, tmp_path / "b", "erasure_key", keys_of=folder_of(app))
    forget_fingerprints(app)
    erase(other, ZOE)
    forget_fingerprints(app)
    told(app, "restore", str(archive), *FORCED)
    let_go(app)
    assert emails(app) == [MAX, ZOE]
    assert "ops adopt-key" in command(other, "ops", "check", "--fast")[1]

    said = told(app, "adopt-key", "erasure_key", str(tmp_path / "b" / "erasure_key"))
    let_go(app)

    assert "effacés de nouveau : 1 contacts, 1 demandes" in said
    assert emails(app) == [MAX]
    assert broken_invariants(app) == []
    let_go(app)


@mostly_sqlite
def test_lists_of_archives_that_two_servers_made_are_all_kept_to(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """In one folder, each written under its server's own key, and the database that both had is lost."""
    for email in (ZOE, MAX, LOU):
        ask_brochure(client, email=email)
    folder = tmp_path / "archives"
    told(app, "backup", "--to", str(folder))
    archive = find_backups(folder)[0].path
    erase(app, ZOE)
    told(app, "backup", "--to", str(folder))
    other = _with_own_key(environ, tmp_path / "b", "erasure_key", keys_of=folder_of(app))
    forget_fingerprints(app)
    erase(other, MAX)
    told(other, "backup", "--to", str(folder))
    let_go(other)
    let_go(app)
    again = create_app(elsewhere(environ, tmp_path))

    told(again, "restore", str(archive))

    assert emails(again) == [LOU]
    let_go(again)
    told(again, "backup")
    held = {line.split()[0] for line in (folder_of(again) / "erasure_key").read_text().splitlines()}
    assert held == {(at / "erasure_key").read_text().split()[0] for at in (folder_of(app), tmp_path / "b")}
    let_go(again)


@pytest.mark.parametrize("at_once", [(), ("--now",)])
@mostly_sqlite
def test_archive_older_than_a_rotation_ends_no_link_that_is_good(
    make_app: Callable[..., Flask], environ: Environ, at_once: tuple[str, ...]
) -> None:
    app = make_app()
    client = _browser(app)
    ask_brochure(client, email=ZOE)
    ask_brochure(client, email=MAX)
    old_link = space_of(app, MAX)
    archive = back_up(app)
    erase(app, ZOE)
    told(app, "rotate-key", *at_once)
    let_go(app)
    rotated = make_app()
    link = space_of(rotated, MAX)
    before = (folder_of(app) / "secret_key").read_text()
    let_go(rotated)

    told(app, "restore", str(archive), *FORCED)

    assert (folder_of(app) / "secret_key").read_text() == before
    assert emails(app) == [MAX]
    visitor = _browser(make_app())
    assert visitor.page(link).status == 200
    assert visitor.page(old_link).status == (404 if at_once else 200)
    let_go(app)
    told(app, "backup")
    assert "adopt-key" not in command(app, "ops", "check", "--fast")[1]
    told(app, "rotate-key")
    let_go(app)


def test_rotation_goes_round_servers_one_after_the_other(
    make_app: Callable[..., Flask], environ: Environ, tmp_path: Path
) -> None:
    app = make_app()
    ask_brochure(_browser(app), email=ZOE)
    link = space_of(app)
    back_up(app)
    let_go(app)
    other = _server(environ, tmp_path / "b", keys_of=folder_of(app))
    told(app, "rotate-key")
    let_go(app)

    # What it has still counts, and can't be replaced a second time.
    told(other, "backup")
    assert "a été remplacée sur un autre" in command(other, "ops", "check", "--fast")[1]
    assert "Rien n’a changé" in refused(other, "rotate-key")
    let_go(other)
    told(other, "adopt-key", "secret_key", str(folder_of(app) / "secret_key"))
    let_go(other)

    assert (tmp_path / "b" / "secret_key").read_text() == (folder_of(app) / "secret_key").read_text()
    later = _server(environ, tmp_path / "b")
    later.test_client_class = CheckedClient
    assert _browser(later).page(link).status == 200
    assert _browser(later).page(space_of(make_app())).status == 200
    let_go(later)
    told(later, "rotate-key", "--now")
    let_go(later)
    assert "n’est pas celle de la base" in refused(app, "backup")
    assert "n’a pas la clé secret_key de la base" in refused(
        later, "adopt-key", "secret_key", str(folder_of(app) / "secret_key")
    )
    let_go(later)


@mostly_sqlite
def test_restored_older_database_takes_a_server_that_kept_its_key_as_an_old_one(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """The machine that rotated is lost, and the archive is older: its neighbour has both keys."""
    ask_brochure(client, email=ZOE)
    first = (folder_of(app) / "secret_key").read_text().strip()
    archive = back_up(app)
    let_go(app)
    settings = elsewhere(environ, tmp_path)
    again = create_app(settings)
    told(again, "restore", str(archive))
    let_go(again)
    neighbour = _server(settings, tmp_path / "b", keys_of=folder_of(again))
    (tmp_path / "b" / "secret_key").write_text(f"{'n' * 64}\n{first} 2026-11-01T09:00:00+00:00\n")

    told(neighbour, "backup")
    let_go(neighbour)

    assert "a été remplacée sur un autre" in command(again, "ops", "check", "--fast")[1]
    told(again, "adopt-key", "secret_key", str(tmp_path / "b" / "secret_key"))
    let_go(again)
    assert "adopt-key" not in command(again, "ops", "check", "--fast")[1]


@mostly_sqlite
def test_installation_of_before_is_recorded_by_the_first_that_comes(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    """One server erased, the other never did and has no key: it makes none, whichever comes first."""
    ask_brochure(client, email=ZOE)
    erase(app, ZOE)
    forget_fingerprints(app)
    folder = tmp_path / "b"
    folder.mkdir()
    shutil.copy(folder_of(app) / "secret_key", folder)
    other = _server(environ, folder)

    assert "la clé erasure_key manque sur ce serveur" in refused(other, "backup")
    let_go(other)
    told(app, "backup")
    let_go(app)
    shutil.copy(folder_of(app) / "erasure_key", folder)

    told(other, "backup")
    listed = json.loads(read_parts(find_backups(folder / "backups")[0].path, "erasures.json")["erasures.json"])
    assert len(listed) == 1
    let_go(other)


def test_file_that_is_no_key_or_another_installations_is_not_adopted(app: Flask, tmp_path: Path) -> None:
    back_up(app)
    let_go(app)
    before = {name: (folder_of(app) / name).read_bytes() for name in KEYS}
    for name, content in [
        ("secret_key", "court"), ("secret_key", "x" * 64), ("erasure_key", ""), ("erasure_key", "é" * 64),
        ("erasure_key", f"{'x' * 64} hier"),
    ]:  # fmt: skip
        file = tmp_path / "file"
        file.write_text(content)
        assert "Rien n’a changé" in refused(app, "adopt-key", name, str(file))
        let_go(app)

    assert {name: (folder_of(app) / name).read_bytes() for name in KEYS} == before
    assert command(app, "ops", "adopt-key", "secret_key")[0] == 2
    assert command(app, "ops", "adopt-key", "autre_cle", "-")[0] == 2
    assert "--lost" in told(app, "adopt-key", "--help")
