"""`ops adopt-key`: which files it takes, which it refuses, and a damaged key file set aside, on both engines."""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from microsite import create_app
from microsite.config import PROJECT_ROOT, StartError

from ..conftest import Environ
from ..engines import mostly_sqlite
from ..page import CheckedClient
from ..privacy.owners import MAX, ZOE, ask_brochure, rows
from ..served import clean_environ
from .shelf import KEYS, back_up, command, elsewhere, erase, folder_of, forget_fingerprints, let_go, refused, told


def _settings(environ: Environ, folder: Path) -> Environ:
    url = environ.get("DATABASE_URL") or f"sqlite:///{environ['MICROSITE_INSTANCE_PATH']}/microsite.sqlite3"
    return environ | {"MICROSITE_INSTANCE_PATH": str(folder), "DATABASE_URL": url}


def _server(environ: Environ, folder: Path, **files: str) -> Flask:
    """Another server of the same database, with these files in its instance folder."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    return create_app(_settings(environ, folder))


def _keys(app: Flask) -> dict[str, str]:
    return {name: (folder_of(app) / name).read_text() for name in KEYS}


def _recorded(app: Flask) -> list[str]:
    found = sorted(row.name for row in rows(app)["key_fingerprints"])
    let_go(app)
    return found


@pytest.mark.parametrize("has_erased", [False, True])
@mostly_sqlite
def test_cut_copy_or_the_other_files_content_is_refused_and_stops_nobody(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path, has_erased: bool
) -> None:
    ask_brochure(client, email=ZOE)
    back_up(app)
    if has_erased:
        erase(app, ZOE)
    let_go(app)
    keys = _keys(app)
    other = _server(environ, tmp_path / "b", **keys)
    let_go(other)
    erasing, signing = keys["erasure_key"], keys["secret_key"]
    before = _recorded(app)
    for name, content in [
        ("erasure_key", erasing[:40]), ("erasure_key", erasing[-41:]), ("erasure_key", signing), ("erasure_key", signing[:40]),
        ("erasure_key", f"{erasing}{erasing[:40]} 2026-11-01T09:00:00+00:00\n"), ("secret_key", erasing), ("secret_key", signing[:40]),
    ]:  # fmt: skip
        given = tmp_path / "given"
        given.write_text(content)
        assert "Rien n’a changé" in refused(other, "adopt-key", name, str(given), "--yes")
        let_go(other)

    assert _keys(other) == keys
    assert _recorded(app) == before
    told(app, "backup")
    let_go(app)


@mostly_sqlite
def test_cut_copy_doesnt_take_the_keys_place_before_the_site_is_first_served(environ: Environ, tmp_path: Path) -> None:
    settings = elsewhere(environ, tmp_path)
    _flask(settings, "db", "upgrade")
    app = create_app(settings)
    keys = _keys(app)

    for name in KEYS:
        code, _, said = command(app, "ops", "adopt-key", name, "-", "--yes", input=keys[name][:40])
        assert (code, "Rien n’a changé" in said) == (1, True)

    assert _keys(app) == keys
    told(app, "backup")
    let_go(app)


def test_unknown_key_is_refused_where_nobody_was_erased(app: Flask, tmp_path: Path) -> None:
    back_up(app)
    let_go(app)
    keys = _keys(app)

    for content in ("u" * 64, "u" * 40):
        code, _, said = command(app, "ops", "adopt-key", "erasure_key", "-", "--yes", input=content)
        assert (code, "Rien n’a changé" in said) == (1, True)

    assert _keys(app) == keys


def test_unknown_key_that_recognises_nobody_is_kept_only_on_demand(app: Flask, client: CheckedClient) -> None:
    """It may be that of a server that is gone, of before the database knew of keys."""
    ask_brochure(client, email=ZOE)
    erase(app, ZOE)
    before = _keys(app)

    code, said, complained = command(app, "ops", "adopt-key", "erasure_key", "-", input="u" * 64)
    assert (code, "arrête les autres serveurs" in said, "--yes" in complained) == (1, True, True)
    assert _keys(app) == before
    assert _recorded(app).count("erasure_key") == 1
    code, _, _ = command(app, "ops", "adopt-key", "erasure_key", "-", "--yes", input="u" * 64)

    assert code == 0
    lines = _keys(app)["erasure_key"].splitlines()
    assert (lines[0], lines[1].split()[0]) == (before["erasure_key"].strip(), "u" * 64)


def test_key_written_by_hand_is_asked_about_where_the_database_cant_tell(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    ask_brochure(client, email=ZOE)
    erase(app, ZOE)
    forget_fingerprints(app)
    other = _server(environ, tmp_path / "b", secret_key=_keys(app)["secret_key"])
    let_go(other)
    given = tmp_path / "given"
    given.write_text("écrite à la main")
    assert "sans accent" in refused(other, "adopt-key", "erasure_key", str(given))
    given.write_text("written-by-hand-in-the-first-years")

    code, said, _ = command(other, "ops", "adopt-key", "erasure_key", str(given), input="non\n")
    assert (code, "64 signes" in said, (tmp_path / "b" / "erasure_key").exists()) == (1, True, False)
    code, _, _ = command(other, "ops", "adopt-key", "erasure_key", str(given), input="oui\n")

    assert code == 0
    assert (tmp_path / "b" / "erasure_key").read_text().strip() == given.read_text()


@mostly_sqlite
def test_servers_own_cut_copy_isnt_kept_beside_the_whole_key(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    ask_brochure(client, email=ZOE)
    erase(app, ZOE)
    keys = _keys(app)
    for wrong in (keys["erasure_key"][:40], keys["secret_key"]):
        other = _server(environ, tmp_path / "b", secret_key=keys["secret_key"], erasure_key=wrong)
        assert "n’est pas celle de la base" in refused(other, "backup")
        let_go(other)

        told(other, "adopt-key", "erasure_key", str(folder_of(app) / "erasure_key"))
        let_go(other)

        assert _keys(other) == keys
        told(app, "backup")
        let_go(app)


@mostly_sqlite
@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("content", ["", "court", "\0" * 64, "é" * 64, None])
def test_damaged_key_file_is_set_aside_by_the_printed_command(
    app: Flask, environ: Environ, tmp_path: Path, name: str, content: str | None
) -> None:
    """None: a folder in its place."""
    back_up(app)
    let_go(app)
    keys = _keys(app)
    folder = tmp_path / "b"
    folder.mkdir(mode=0o700)
    if content is None:
        (folder / name).mkdir()
    files = keys if content is None else keys | {name: content}
    other = _server(environ, folder, **{one: files[one] for one in KEYS if content is not None or one != name})
    said = refused(other, "backup")
    let_go(other)
    assert f"la clé {name} de ce serveur est illisible" in said
    assert f"ops adopt-key {name} -" in said
    assert "supprimez" not in said
    with (
        pytest.raises(StartError, match=f"ops adopt-key {name} -") if name == "secret_key" else contextlib.nullcontext()
    ):
        let_go(create_app(_settings(environ, folder), with_commands=False))

    code, said, complained = command(other, "ops", "adopt-key", name, "-", input=keys[name])

    assert code == 0, complained
    (aside,) = folder.glob(f"{name}.damaged-*")
    assert str(aside) in said
    assert aside.stat().st_mode & 0o777 == 0o600
    assert content is None or aside.read_text() == content
    assert _keys(other) == keys
    again = _server(environ, folder)
    told(again, "backup")
    let_go(again)


@pytest.mark.parametrize("name", KEYS)
def test_damaged_key_that_is_nowhere_else_is_replaced_on_demand(
    app: Flask, environ: Environ, tmp_path: Path, name: str
) -> None:
    back_up(app)
    let_go(app)
    folder = tmp_path / "b"
    other = _server(environ, folder, **_keys(app) | {name: "abîmée"})

    told(other, "adopt-key", name, "--lost", "--yes")
    let_go(other)

    (aside,) = folder.glob(f"{name}.damaged-*")
    assert aside.read_text() == "abîmée"
    told(other, "backup")
    let_go(other)


def test_adoption_that_lacks_a_key_still_says_that_the_file_changed(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    ask_brochure(client, email=ZOE)
    erase(app, ZOE)
    first = _keys(app)
    both = f"{first['erasure_key']}{'o' * 64} 2026-11-01T09:00:00+00:00\n"
    told(_server(environ, tmp_path / "b", **first | {"erasure_key": both}), "backup")
    other = _server(environ, tmp_path / "c", **first | {"erasure_key": "t" * 64})

    for changed in ("Le fichier de ce serveur a changé", "Rien n’a changé"):
        code, _, said = command(other, "ops", "adopt-key", "erasure_key", "-", input=first["erasure_key"])
        assert (code, changed in said) == (1, True), said

    told(other, "adopt-key", "erasure_key", str(tmp_path / "b" / "erasure_key"))
    let_go(other)


def _flask(settings: Environ, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=PROJECT_ROOT,
        env=clean_environ() | settings,
        capture_output=True,
        check=True,
        timeout=120,
    )


def test_server_that_makes_the_tables_is_the_one_recorded(environ: Environ, tmp_path: Path) -> None:
    settings = elsewhere(environ, tmp_path)

    _flask(settings, "db", "upgrade")

    app = create_app(settings)
    assert _recorded(app) == sorted(KEYS)
    other = _server(settings, tmp_path / "b")
    said = command(other, "ops", "check", "--fast")[1]
    assert said.count("manque sur ce serveur") == 2
    assert not [name for name in KEYS if (tmp_path / "b" / name).exists()]
    assert _recorded(app) == sorted(KEYS)
    assert "adopt-key" not in command(app, "ops", "check", "--fast")[1]


def test_first_program_records_the_keys_of_an_installation_of_before(
    app: Flask, environ: Environ, tmp_path: Path
) -> None:
    forget_fingerprints(app)
    again = create_app(environ)
    let_go(again)

    assert _recorded(app) == sorted(KEYS)
    shutil.copytree(folder_of(app), tmp_path / "b", ignore=shutil.ignore_patterns("*.sqlite3*"))
    told(_server(environ, tmp_path / "b"), "backup")


def test_server_without_keys_makes_none_where_somebody_was_erased_before_there_were_fingerprints(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    for email in (ZOE, MAX):
        ask_brochure(client, email=email)
    erase(app, ZOE)
    forget_fingerprints(app)

    other = _server(environ, tmp_path / "b")
    said = command(other, "ops", "check", "--fast")[1]

    assert said.count("manque sur ce serveur") == 2
    assert not [name for name in KEYS if (tmp_path / "b" / name).exists()]
    assert _recorded(app) == []
    told(app, "backup")
    let_go(app)
