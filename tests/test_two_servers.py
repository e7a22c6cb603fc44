"""Two real servers on one PostgreSQL: they have the same keys, or the second doesn't start; who is erased on one stays away on both."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from microsite import create_app
from microsite.config import PROJECT_ROOT
from microsite.operations.backup import find_backups

from .answers import BROCHURE, export
from .backups.shelf import elsewhere, let_go
from .conftest import Environ
from .privacy.owners import MAX, ZOE, space_of
from .served import Server, Visitor, clean_environ, free_port, started
from .support.invariants import broken_invariants

pytestmark = pytest.mark.slow

KEYS = ("secret_key", "erasure_key")


@pytest.fixture
def engine_name() -> str:
    """Several servers share no SQLite file."""
    return "postgresql"


@pytest.fixture
def first(environ: Environ, tmp_path: Path) -> Environ:
    """A database without tables, and a server that has no instance folder yet."""
    return elsewhere(environ, tmp_path)


@pytest.fixture
def second(first: Environ, tmp_path: Path) -> Environ:
    return first | {"MICROSITE_INSTANCE_PATH": str(tmp_path / "second")}


def _folder(settings: Environ) -> Path:
    return Path(settings["MICROSITE_INSTANCE_PATH"])


def _start(settings: Environ, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "flask", *arguments],
        cwd=PROJECT_ROOT,
        env=clean_environ() | settings | {"PORT": str(free_port()), "MICROSITE_WORKERS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _run(settings: Environ, *arguments: str) -> tuple[int, str, str]:
    with _start(settings, *arguments) as process:
        said, complained = process.communicate(timeout=120)
    return process.returncode, said, complained


def _told(settings: Environ, *arguments: str) -> str:
    code, said, complained = _run(settings, *arguments)
    assert code == 0, complained
    return said


def _refused(settings: Environ) -> str:
    """What a server says that doesn't start."""
    code, _, complained = _run(settings, "serve")
    assert (code, len(complained.splitlines())) == (1, 1), complained
    return complained


@contextlib.contextmanager
def _serving(settings: Environ) -> Iterator[Server]:
    with started(settings, workers=1, options=()) as server:
        yield server


def _ask(server: Server, email: str) -> None:
    visitor = Visitor(server.site)
    assert visitor.send(visitor.page("/brochure").form("/brochure"), **BROCHURE | {"email": email}).status == 303


def _emails(settings: Environ) -> list[str]:
    app = create_app(settings)
    found = sorted(row["email"] for row in export(app))
    let_go(app)
    return found


def _mend(settings: Environ, complained: str, *, neighbour: Environ) -> str:
    """Run the command that the refusal prints, with `cat` of the neighbour's file in place of ssh."""
    (line,) = complained.splitlines()
    printed = line.partition("ssh AUTRE_SERVEUR ")[2].partition(" (perdue partout")[0]
    reading, _, adopting = printed.partition(" | ")
    name = Path(shlex.split(reading)[-1]).name
    assert shlex.split(reading) == ["cat", str(_folder(settings) / name)]
    assert shlex.split(adopting) == ["flask", "ops", "adopt-key", name, "-"]
    mended = subprocess.run(
        [sys.executable, "-m", *shlex.split(adopting)],
        cwd=PROJECT_ROOT,
        env=clean_environ() | settings,
        input=(_folder(neighbour) / name).read_text(),
        capture_output=True,
        check=False,
        text=True,
    )
    assert mended.returncode == 0, mended.stderr
    return name


def _mend_all(settings: Environ, *, neighbour: Environ) -> list[str]:
    """One command after the other, until the server starts; the keys that it then has from its neighbour."""
    mended: list[str] = []
    while True:
        code, _, complained = _run(settings, "ops", "backup")
        if code == 0:
            return mended
        assert len(mended) < len(KEYS), complained
        mended.append(_mend(settings, complained, neighbour=neighbour))


def test_server_that_joins_starts_with_the_firsts_keys_and_erasures_count_for_both(
    first: Environ, second: Environ
) -> None:
    with _serving(first) as server:
        for email in (ZOE, MAX):
            _ask(server, email)
        _told(first, "ops", "backup")
        assert "la clé secret_key manque sur ce serveur" in _refused(second)
        assert not [name for name in KEYS if (_folder(second) / name).exists()]
        assert sorted(_mend_all(second, neighbour=first)) == sorted(KEYS)
        with _serving(second) as other:
            visitor = Visitor(other.site)
            app = create_app(first)
            link = space_of(app, MAX)
            let_go(app)
            assert visitor.get(link)[0] == 200
            _told(second, "privacy", "erase", ZOE, "--yes")
    for name in KEYS:
        assert (_folder(first) / name).read_bytes() == (_folder(second) / name).read_bytes()
        assert (_folder(second) / name).stat().st_mode & 0o777 == 0o600
    archive = find_backups(_folder(first) / "backups")[0].path

    assert "Effacés de nouveau : 1 contacts" in _told(first, "ops", "restore", str(archive), "--force")

    assert _emails(first) == [MAX]
    app = create_app(first)
    assert broken_invariants(app) == []
    let_go(app)
    with _serving(first) as server, _serving(second) as other:
        assert [Visitor(one.site).get(link)[0] for one in (server, other)] == [200, 200]


def test_two_servers_that_each_have_an_erasure_key_forget_nobody(first: Environ, second: Environ) -> None:
    """Each erased somebody before the database knew of keys; a restore on either keeps to both."""
    with _serving(first) as server:
        for email in (ZOE, MAX, "lou@exemple.fr"):
            _ask(server, email)
    _told(first, "ops", "backup")
    archive = find_backups(_folder(first) / "backups")[0].path
    shutil.copytree(_folder(first), _folder(second), ignore=shutil.ignore_patterns("erasure_key", "backups", "*.lock"))
    (_folder(second) / "erasure_key").write_text("b" * 64 + "\n")
    _told(first, "privacy", "erase", ZOE, "--yes")
    _forget_fingerprints(first)
    _told(second, "privacy", "erase", MAX, "--yes")
    _forget_fingerprints(first)

    with _serving(first):
        said = _refused(second)
        assert _mend(second, said, neighbour=first) == "erasure_key"
        with _serving(second):
            pass
    assert "erasure_key, sur ce serveur, n’a pas toutes les clés de la base" in (said := _refused(first))
    assert _mend(first, said, neighbour=second) == "erasure_key"

    for settings in (first, second):
        assert "Effacés de nouveau : 2 contacts" in _told(settings, "ops", "restore", str(archive), "--force")
        assert _emails(settings) == ["lou@exemple.fr"]
    with _serving(first), _serving(second):
        pass


def _forget_fingerprints(settings: Environ) -> None:
    """A database that comes from before there were any."""
    with psycopg.connect(settings["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DELETE FROM key_fingerprints")


def test_of_servers_that_are_installed_at_once_one_decides(first: Environ, second: Environ) -> None:
    """Whichever it is, the other one is told, and both then serve."""
    both = [(settings, _start(settings, "serve")) for settings in (first, second)]
    with contextlib.ExitStack() as stack:
        for _, process in both:
            stack.enter_context(process)
        loser, winner = _first_to_end(both)
        complained = loser[1].communicate(timeout=30)[1]
        os.kill(winner[1].pid, 15)
        winner[1].communicate(timeout=60)

    assert "n’est pas celle de la base" in complained
    _mend_all(loser[0], neighbour=winner[0])
    with _serving(winner[0]), _serving(loser[0]):
        pass


_Started = tuple[Environ, "subprocess.Popen[str]"]


def _first_to_end(both: list[_Started]) -> tuple[_Started, _Started]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for one, other in (both, both[::-1]):
            if one[1].poll() is not None:
                return one, other
        time.sleep(0.05)
    raise TimeoutError("neither of the servers refused to start")


def test_rotation_reaches_a_second_server_without_a_link_that_fails(first: Environ, second: Environ) -> None:
    with _serving(first) as server:
        _ask(server, ZOE)
    shutil.copytree(_folder(first), _folder(second), ignore=shutil.ignore_patterns("*.lock"))
    app = create_app(first)
    old = space_of(app)
    let_go(app)
    _told(first, "ops", "rotate-key")
    # Its key still counts, until it takes the new one: so it may be restarted meanwhile.
    with _serving(first) as server, _serving(second) as other:
        app = create_app(first)
        new = space_of(app)
        let_go(app)
        _told(second, "ops", "adopt-key", "secret_key", str(_folder(first) / "secret_key"))
        # Not even restarted.
        assert [Visitor(one.site).get(link)[0] for one in (server, other) for link in (old, new)] == [200] * 4

    _told(first, "ops", "rotate-key", "--now")

    assert _mend(second, _refused(second), neighbour=first) == "secret_key"
    with _serving(first) as server, _serving(second) as other:
        assert [Visitor(one.site).get(link)[0] for one in (server, other) for link in (old, new)] == [404] * 4


def test_archive_older_than_a_rotation_leaves_both_servers_at_work(first: Environ, second: Environ) -> None:
    with _serving(first) as server:
        for email in (ZOE, MAX):
            _ask(server, email)
    shutil.copytree(_folder(first), _folder(second), ignore=shutil.ignore_patterns("*.lock"))
    _told(first, "ops", "backup")
    archive = find_backups(_folder(first) / "backups")[0].path
    _told(first, "ops", "rotate-key")
    _told(second, "ops", "adopt-key", "secret_key", str(_folder(first) / "secret_key"))
    _told(second, "privacy", "erase", ZOE, "--yes")
    app = create_app(first)
    link = space_of(app, MAX)
    let_go(app)

    _told(first, "ops", "restore", str(archive), "--force")

    assert _emails(first) == [MAX]
    with _serving(first) as server, _serving(second) as other:
        assert [Visitor(one.site).get(link)[0] for one in (server, other)] == [200, 200]
