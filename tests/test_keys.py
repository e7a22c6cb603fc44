"""The secret key: made once, replaced without a mailed link ending, or at once after a leak."""

import signal
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from microsite.backoffice.models import Role
from microsite.brochures.views import COPY_LIFETIME
from microsite.config import StartError
from microsite.keys import LONGEST_LIFE, Keys, load_keys, rotate
from microsite.leads.emails import CONFIRM_LIFETIME, SPACE_LIFETIME
from microsite.privacy.views import STOP_LIFETIME

from .answers import BROCHURE, export
from .backoffice.conftest import add_member, address, enter
from .backups.shelf import told
from .conftest import Environ
from .page import CheckedClient
from .privacy.owners import ask_brochure, space_of
from .served import Visitor, started
from .waiting import wait_until

NOW = datetime(2027, 2, 3, 12, tzinfo=UTC)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """One of the test's own, which gets other keys."""
    return make_app()


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def _client(app: Flask) -> CheckedClient:
    app.test_client_class = CheckedClient
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def test_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    keys = load_keys(tmp_path)

    path = tmp_path / "secret_key"
    assert len(keys.current) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys(tmp_path) == keys
    rotate(tmp_path, now=NOW, keeps_old=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_file_that_holds_no_keys_stops_the_start(tmp_path: Path) -> None:
    key = "k" * 40
    for content in ("", "court", "clé" * 20, f"{key} {key}", f"{key}\n{key}", f"{key}\n{key} hier", f"{key}\nc {NOW}"):
        (tmp_path / "secret_key").write_text(content)
        with pytest.raises(StartError, match="au moins 32 caractères"):
            load_keys(tmp_path)


def test_old_keys_go_once_nothing_that_they_signed_can_be_good(tmp_path: Path) -> None:
    lives = (STOP_LIFETIME, COPY_LIFETIME, SPACE_LIFETIME, CONFIRM_LIFETIME)
    first = load_keys(tmp_path).current
    second = rotate(tmp_path, now=NOW, keeps_old=True).current
    third = rotate(tmp_path, now=NOW + timedelta(days=1), keeps_old=True)

    assert max(lives) <= LONGEST_LIFE
    assert [old.key for old in third.old] == [second, first]
    text = (tmp_path / "secret_key").read_text()
    assert [old.key for old in Keys.loads(text, now=NOW + LONGEST_LIFE).old] == [second]
    with time_machine.travel(NOW + LONGEST_LIFE, tick=False):
        rotate(tmp_path, now=NOW + LONGEST_LIFE, keeps_old=True)
    assert first not in (tmp_path / "secret_key").read_text()


def test_mailed_links_forms_and_sessions_live_on_under_a_new_key(
    make_app: Callable[..., Flask], client: CheckedClient, app: Flask
) -> None:
    ask_brochure(client)
    link, form = space_of(app), client.page("/brochure").form("/brochure")
    add_member(app, Role.ADMISSIONS)
    enter(client, email=address(Role.ADMISSIONS))
    cookie = client.get_cookie("equipe", path="/admissions")
    assert cookie is not None

    assert "Anciennes clés encore reconnues : 1." in told(app, "rotate-key")
    later = make_app()
    other = _client(later)
    other.set_cookie("equipe", cookie.value, path="/admissions")

    assert other.page(link).status == 200
    assert other.send(form, **BROCHURE | {"email": "max@exemple.fr"}).status == 303
    assert other.page("/admissions/").status == 200
    assert client.page(space_of(later)).status == 200


def test_leaked_key_opens_nothing_any_more(make_app: Callable[..., Flask], client: CheckedClient, app: Flask) -> None:
    ask_brochure(client)
    link = space_of(app)

    said = told(app, "rotate-key", "--now")

    assert "systemctl restart microsite" in said
    assert "les sessions de l’équipe" in said
    assert _client(make_app()).page(link).status == 404
    assert len((Path(app.instance_path) / "secret_key").read_text().splitlines()) == 1


@pytest.mark.slow
def test_reloaded_server_signs_with_the_new_key(app: Flask, client: CheckedClient, environ: Environ) -> None:
    """SIGHUP: workers take turns, so that nobody is sent away meanwhile; a link of a leaked key ends with the last."""
    ask_brochure(client)
    link = space_of(app)
    with started(environ) as server:
        visitor = Visitor(server.site)
        told(app, "rotate-key", "--now")
        assert visitor.get(link)[0] == 200
        before = set(server.workers())
        server.process.send_signal(signal.SIGHUP)

        def are_all_new() -> bool:
            assert visitor.get("/brochure")[0] == 200
            return before.isdisjoint(server.workers())

        # Ten seconds between two workers, and a slow machine's time to start each.
        wait_until(are_all_new, "each worker has made room for a new one", patience=120)
        assert visitor.get(link)[0] == 404
        form = visitor.page("/brochure").form("/brochure")
        assert visitor.send(form, **BROCHURE | {"email": "max@exemple.fr"}).status == 303

    assert len(export(app)) == 2
