"""An application that sends by SMTP to a real server, and one whose mails stay in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from ..answers import complete_school
from ..conftest import Environ
from ..mail_server import MailServer
from ..page import CheckedClient
from ..waiting import PATIENCE


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def smtp_app(make_app: Callable[..., Flask], environ: Environ, mail_server: MailServer) -> Flask:
    return make_smtp_app(make_app, environ, mail_server.port)


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
