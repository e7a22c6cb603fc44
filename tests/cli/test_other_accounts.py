"""Files that a command has left which root ran first: whoever serves the site is told which, and how to have them back."""

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from flask_migrate import upgrade

from microsite import create_app
from microsite.config import StartError, load_settings
from microsite.keys import make_key
from microsite.operations.instance_folder import prepare_instance

from ..conftest import Environ

# Debian's account of nobody in particular.
NOBODY = 65534


@pytest.fixture
def instance() -> Iterator[Path]:
    """A folder of nobody's, in one that everybody may enter."""
    if os.geteuid() != 0:
        pytest.skip("files of another account take root to make")
    parent = Path(tempfile.mkdtemp())
    parent.chmod(0o755)
    folder = parent / "instance"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(parent)


def _left_by_root(folder: Path, name: str) -> Path:
    path = folder / name
    if "." in name or name.endswith("_key"):
        path.write_text("x" * 64)
        path.chmod(0o600)
    else:
        path.mkdir(mode=0o700)
    return path


def _refusal_of_nobody(folder: Path) -> str:
    """What nobody is told who starts the site there; empty if nothing."""
    mine, other = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_prepare_as_nobody, args=(folder, other))
    process.start()
    told = str(mine.recv())
    process.join()
    return told


def _prepare_as_nobody(folder: Path, result: Connection) -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    try:
        prepare_instance(load_settings({"MICROSITE_INSTANCE_PATH": str(folder)}))
    except StartError as refusal:
        result.send(str(refusal))
    else:
        result.send("")


@pytest.mark.parametrize(
    "name",
    [
        "secret_key",
        "erasure_key",
        "microsite.sqlite3",
        "microsite.sqlite3-wal",
        "microsite.sqlite3-queue",
        "serve-8000.lock",
        "worker-1.lock",
        "mails",
        "exports",
        "backups",
        "brochure.pdf",
    ],
)
def test_file_that_root_left_is_named_with_the_command_that_gives_it_back(instance: Path, name: str) -> None:
    left = _left_by_root(instance, name)

    told = _refusal_of_nobody(instance)

    assert str(left) in told
    assert "il est à root" in told
    assert f"chown -R nobody: {instance}" in told


@pytest.mark.parametrize(
    "name", ["content/school.toml", "content/article.md", "content/pictures/set.jpg", "brochures/abc.pdf"]
)
def test_file_that_root_left_inside_a_folder_is_named(instance: Path, name: str) -> None:
    left = instance / name
    left.parent.mkdir(parents=True)
    left.write_text("x")
    for path in (left, *left.parents[: len(Path(name).parts) - 1]):
        os.chown(path, NOBODY, NOBODY)
    assert _refusal_of_nobody(instance) == ""

    os.chown(left, 0, 0)
    left.chmod(0o600)

    told = _refusal_of_nobody(instance)
    assert str(left) in told
    assert "il est à root" in told


@pytest.mark.parametrize("name", ["mails/1.eml", "exports/1.csv", "backups/1.tar"])
def test_folders_of_many_files_are_not_looked_into(instance: Path, name: str) -> None:
    left = instance / name
    left.parent.mkdir()
    os.chown(left.parent, NOBODY, NOBODY)
    left.write_text("x")
    left.chmod(0o600)

    assert _refusal_of_nobody(instance) == ""


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("name", ["secret_key", "erasure_key"])
@pytest.mark.parametrize("command", ["adopt-key", "adopt-key --lost", "rotate-key"])
def test_keys_that_root_writes_are_the_site_s(instance: Path, environ: Environ, command: str, name: str) -> None:
    app = create_app(environ | {"MICROSITE_INSTANCE_PATH": str(instance), "DATABASE_URL": ""})
    with app.app_context():
        upgrade()
    keys = (instance / name).read_text()
    _give_to_nobody(instance)
    if command != "rotate-key":
        (instance / name).write_text("x" * 64)
    arguments = {
        "adopt-key": ["adopt-key", name, "-", "--yes"],
        "adopt-key --lost": ["adopt-key", name, "--lost", "--yes"],
        "rotate-key": ["rotate-key"],
    }

    ran = app.test_cli_runner().invoke(args=["ops", *arguments[command]], input=keys)

    assert ran.exit_code == 0, ran.output
    assert {path.name for path in instance.iterdir() if path.stat().st_uid != NOBODY} == set()
    assert _refusal_of_nobody(instance) == ""


@pytest.mark.parametrize("name", ["secret_key", "erasure_key"])
def test_key_that_root_makes_is_the_site_s(instance: Path, name: str) -> None:
    make_key(instance / name)

    made = (instance / name).stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (NOBODY, NOBODY, 0o600)


def _give_to_nobody(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)


def test_each_file_is_named(instance: Path) -> None:
    left = [_left_by_root(instance, name) for name in ("secret_key", "microsite.sqlite3", "cache")]

    told = _refusal_of_nobody(instance)

    assert all(str(path) in told for path in left)


def test_folder_that_root_made_is_named(instance: Path) -> None:
    os.chown(instance, 0, 0)

    assert str(instance) in _refusal_of_nobody(instance)


def test_what_the_school_put_there_needs_to_be_readable_alone(instance: Path) -> None:
    _left_by_root(instance, "brochure.pdf").chmod(0o644)
    _left_by_root(instance, "content").chmod(0o755)
    (instance / "lost+found").mkdir(mode=0o700)

    assert _refusal_of_nobody(instance) == ""
