"""An application that sends by SMTP to a real server, and one whose mails stay in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from microsite.outbox.transports import SmtpTransport

from ..answers import complete_school
from ..conftest import Environ, build_app, lend
from ..mail_server import MailServer
from ..page import CheckedClient
from ..waiting import PATIENCE


@pytest.fixture(scope="session")
def listening_server() -> Iterator[MailServer]:
    """One port for all tests, so that `smtp_app` may be one for all."""
    with MailServer() as server:
        yield server


@pytest.fixture
def mail_server(listening_server: MailServer) -> MailServer:
    return listening_server.replace()


@pytest.fixture
def smtp_app(
    engine_name: str,
    environ: Environ,
    compiled_templates: FileSystemBytecodeCache,
    smtp_apps_by_engine: dict[str, Flask],
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flask]:
    """Built once for each engine, as `app` is; what it knows of its mail server is each test's own."""
    complete_school(Path(environ["MICROSITE_INSTANCE_PATH"]))
    if engine_name not in smtp_apps_by_engine:
        smtp_apps_by_engine[engine_name] = build_app(environ | smtp_settings(mail_server.port), compiled_templates)
    app = smtp_apps_by_engine[engine_name]
    monkeypatch.setattr(app.extensions["outbox"], "transport", SmtpTransport(app.extensions["settings"]))
    yield from lend(app)


@pytest.fixture(scope="session")
def smtp_apps_by_engine() -> dict[str, Flask]:
    return {}


@pytest.fixture
def smtp_client(smtp_app: Flask) -> CheckedClient:
    client = smtp_app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def make_smtp_app(make_app: Callable[..., Flask], environ: Environ, port: int, **settings: str) -> Flask:
    complete_school(Path(environ["MICROSITE_INSTANCE_PATH"]))
    return make_app(**smtp_settings(port) | settings)


def smtp_settings(port: int) -> dict[str, str]:
    return {
        "MICROSITE_SMTP_HOST": "127.0.0.1",
        "MICROSITE_SMTP_PORT": str(port),
        "MICROSITE_SMTP_SECURITY": "none",
        "MICROSITE_SMTP_TIMEOUT": str(PATIENCE),
        "MICROSITE_NOTIFY_ADMISSIONS": "none",
        "MICROSITE_PUBLIC_URL": "https://www.ecole.example",
    }
