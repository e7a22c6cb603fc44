"""What the tests stand on: a new installation for each, on SQLite and on PostgreSQL, and a client that inspects."""

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache

from microsite import create_app
from microsite.campaigns.counting import ViewCounter
from microsite.config import PROJECT_ROOT
from microsite.db import db
from microsite.keys import FILES as KEY_FILES
from microsite.outbox.transports import MemoryTransport

from .page import CheckedClient
from .postgres import Cluster, create_database, drop_tables, empty_database, find_programs, revision_of

# Set for `make test` and `make test-all` on the machines where a skipped test is a failed one.
STRICT = os.environ.get("NOTHING_SKIPPED") == "1"
_CLUSTER_URL = "TEST_POSTGRESQL_URL"
# Where a write needs no disk, where there is such a place: a test's database lasts no longer than its test.
_MEMORY = Path("/dev/shm")  # noqa: S108  # each test makes a folder of its own there
_MEMORY_LEAST = 4 * 1024**3
_TESTS = Path(__file__).parent
_PROCESSES = (
    "journeys/test_durability", "journeys/test_served", "journeys/test_database_trouble", "outbox/test_worker_process",
    "outbox/test_open_day_mails", "campaigns/test_served_views", "open_days/test_crowd", "cli/test_export", "backups/test_processes", "test_keys", "journeys/test_stop", "test_deploy", "test_two_servers",
)  # fmt: skip
_cluster: Cluster | None = None

Environ = dict[str, str]


def pytest_configure(config: pytest.Config) -> None:
    """Start the cluster once, before the workers, which find its address in their environment."""
    global _cluster  # noqa: PLW0603  # pytest_unconfigure has no other way to it
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_LEAST:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)
    programs = find_programs()
    if programs is None:
        if STRICT:
            raise pytest.UsageError("PostgreSQL's server programs are missing, and nothing may be skipped")
        return
    _cluster = Cluster(programs)
    _cluster.start()
    os.environ[_CLUSTER_URL] = _cluster.url("{database}")


def pytest_unconfigure() -> None:
    if _cluster is not None:
        _cluster.stop()


def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: many tests wait for a process of their own, or a browser."""
    return (os.cpu_count() or 1) * 3 // 2 or 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker begins with the browser, the next with what starts processes; what is quick is shared out at the end.

    xdist's worksteal gives each worker one stretch of the list, then moves what lies at the ends of stretches.
    """
    stretch = len(items) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    names = {item: item.path.relative_to(_TESTS).as_posix() for item in items}
    browser = [item for item in items if names[item].startswith("browser/")]
    processes = [item for item in items if names[item].startswith(_PROCESSES)]
    quick = [item for item in items if not names[item].startswith(("browser/", *_PROCESSES))]
    beside = max(stretch - len(browser), 0)
    items[:] = [*browser, *quick[:beside], *processes, *quick[beside:]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if STRICT and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database to copy."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app({"MICROSITE_INSTANCE_PATH": str(folder)})
    _migrate(app)
    return folder / "microsite.sqlite3"


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    """A migrated database of this worker's own."""
    pattern = os.environ.get(_CLUSTER_URL)
    if pattern is None:
        pytest.skip("PostgreSQL's server programs aren't installed")
    name = f"test_{worker_id}"
    create_database(pattern.format(database="postgres"), name)
    url = pattern.format(database=name)
    folder = tmp_path_factory.mktemp("postgresql")
    _migrate(create_app({"MICROSITE_INSTANCE_PATH": str(folder), "DATABASE_URL": url}))
    return url


@pytest.fixture(scope="session")
def newest_revision() -> str | None:
    return ScriptDirectory(str(PROJECT_ROOT / "microsite" / "migrations")).get_current_head()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def environ(
    engine_name: str, request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environ:
    """Settings of a new installation with an empty, migrated database; forms may be sent at once, and as often as one likes.

    No page is kept: what a test has just changed shows.

    It is at the same place for each of a worker's tests, and has the same keys: `app` may be one for all.
    """
    instance = tmp_path_factory.getbasetemp() / "instance"
    shutil.rmtree(instance, ignore_errors=True)
    instance.mkdir(mode=0o700)
    for name in KEY_FILES:
        shutil.copy(sqlite_template.with_name(name), instance)
    settings = {
        "MICROSITE_INSTANCE_PATH": str(instance),
        "MICROSITE_MIN_FILL_SECONDS": "0",
        "MICROSITE_FORM_RATE_LIMIT": "0,0",
        "MICROSITE_PAGE_SECONDS": "0",
    }
    if engine_name == "sqlite":
        shutil.copy(sqlite_template, instance)
    else:
        settings["DATABASE_URL"] = request.getfixturevalue("postgresql_url")
        if revision_of(settings["DATABASE_URL"]) != request.getfixturevalue("newest_revision"):
            # A test that undoes migrations and failed in between, or made the database a newer program's.
            drop_tables(settings["DATABASE_URL"])
            _migrate(create_app(settings))
        empty_database(settings["DATABASE_URL"])
    return settings


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Each template is compiled once, not once for each test's application."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def make_app(environ: Environ, compiled_templates: FileSystemBytecodeCache) -> Iterator[Callable[..., Flask]]:
    """Builds the application, with settings of a test's own."""
    apps: list[Flask] = []

    def build(**settings: str) -> Flask:
        app = build_app(environ | settings, compiled_templates)
        apps.append(app)
        return app

    yield build
    for app in apps:
        _let_go(app)


@pytest.fixture(scope="session")
def apps_by_engine() -> dict[str, Flask]:
    return {}


@pytest.fixture
def app(
    engine_name: str, environ: Environ, compiled_templates: FileSystemBytecodeCache, apps_by_engine: dict[str, Flask]
) -> Iterator[Flask]:
    """The application without settings of a test's own.

    Built once for each engine, since its routes take a tenth of a second: what a test changes of it (a route, an
    extension), it changes of one that make_app() builds.
    """
    if engine_name not in apps_by_engine:
        apps_by_engine[engine_name] = build_app(environ, compiled_templates)
    yield from lend(apps_by_engine[engine_name])


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


@pytest.fixture
def sent(app: Flask, monkeypatch: pytest.MonkeyPatch) -> MemoryTransport:
    """Where the application's mails end up."""
    transport = MemoryTransport()
    monkeypatch.setattr(app.extensions["outbox"], "transport", transport)
    return transport


def build_app(environ: Environ, compiled_templates: FileSystemBytecodeCache) -> Flask:
    app = create_app(environ)
    app.test_client_class = CheckedClient
    app.jinja_env.bytecode_cache = compiled_templates
    return app


def lend(app: Flask) -> Iterator[Flask]:
    """Yield an application that several tests share, and check that the test leaves it as it was."""
    app.extensions["view_counter"] = ViewCounter()
    parts = dict(app.extensions)
    yield app
    assert app.extensions == parts, "this test has changed the application that all share"
    _let_go(app)


def _let_go(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _migrate(app: Flask) -> None:
    with app.app_context():
        upgrade()
        db.engine.dispose()
