"""Backups of a site that is used, and restores that are killed: real processes, both engines."""

import itertools
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from flask import Flask

from microsite import create_app
from microsite.operations.postgresql import RESTORED

from ..answers import BROCHURE, export
from ..conftest import Environ
from ..page import CheckedClient
from ..privacy.owners import ask_brochure
from ..served import Visitor, served
from ..support.invariants import broken_invariants
from ..trouble import integrity
from ..waiting import wait_until
from .shelf import FORCED, back_up, elsewhere, let_go, refused, run, start, told

_WRITERS = 4
# Acknowledged before the backup begins, and while it is made.
_BEFORE, _MEANWHILE = 20, 10
_HUNG = 60
_ATTEMPTS = 5


class _Writers:
    """Visitors who send one form after the other, and note who was thanked."""

    def __init__(self, site: str, client: CheckedClient) -> None:
        self._visitor, self._form = Visitor(site), client.page("/brochure").form("/brochure")
        self._numbers, self._stop = itertools.count(), threading.Event()
        self.thanked: list[str] = []
        self.refused: list[int] = []

    @contextmanager
    def writing(self) -> Iterator[None]:
        with ThreadPoolExecutor(_WRITERS) as pool:
            sending = [pool.submit(self._write) for _ in range(_WRITERS)]
            try:
                yield
            finally:
                self._stop.set()
        for one in sending:
            one.result()

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.thanked) >= count, f"{count} are thanked", patience=_HUNG)

    def _write(self) -> None:
        while not self._stop.is_set():
            email = f"zoe{next(self._numbers)}@exemple.fr"
            status, _ = self._visitor.post(
                "/brochure", urlencode(self._form.filled(**BROCHURE | {"email": email})).encode()
            )
            if status == 303:
                self.thanked.append(email)
            else:
                self.refused.append(status)


@pytest.mark.slow
def test_backup_of_a_busy_site_has_everybody_who_was_thanked_before(
    app: Flask, client: CheckedClient, environ: Environ, tmp_path: Path
) -> None:
    with served(environ, options=()) as site:
        writers = _Writers(site, client)
        with writers.writing():
            writers.wait_for(_BEFORE)
            before = list(writers.thanked)
            run(environ, "backup")
            writers.wait_for(len(before) + _MEANWHILE)
        latest = back_up(app)
        assert "le site est servi" in refused(app, "restore", str(latest), *FORCED)
    early_archive = min((Path(app.instance_path) / "backups").iterdir())
    settings = elsewhere(environ, tmp_path)
    other = create_app(settings)

    told(other, "restore", str(early_archive))
    early = {row["email"] for row in export(other)}
    let_go(other)
    told(other, "restore", str(latest), *FORCED)

    assert set(before) <= early <= set(writers.thanked)
    assert {row["email"] for row in export(other)} == set(writers.thanked)
    assert writers.refused == []
    assert broken_invariants(other) == []
    if app.extensions["settings"].database_url == "":
        assert integrity(Path(other.instance_path)) == "ok"
    let_go(other)


def _moments(environ: Environ) -> list[Callable[[], bool]]:
    """What a restore leaves to be seen on its way, in its order."""
    instance = Path(environ["MICROSITE_INSTANCE_PATH"])

    def is_beside() -> bool:
        with psycopg.connect(environ["DATABASE_URL"]) as connection:
            named = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
            return connection.execute(named, [RESTORED]).fetchone() is not None

    if "DATABASE_URL" in environ:
        return [is_beside, (instance / ".restore-ready").exists]
    names = (".restore", "microsite.sqlite3-restored", ".restore-ready")
    return [(instance / name).exists for name in names]


@pytest.mark.slow
def test_killed_restore_leaves_the_old_or_the_new(app: Flask, client: CheckedClient, environ: Environ) -> None:
    ask_brochure(client)
    archive = back_up(app)
    old, new = {BROCHURE["email"], "max@exemple.fr"}, {BROCHURE["email"]}
    ask_brochure(client, email="max@exemple.fr")
    seen: list[int] = []
    # A moment may be over before it is seen.
    for is_there in itertools.chain.from_iterable(_moments(environ) for _ in range(_ATTEMPTS)):
        if len(seen) >= len(_moments(environ)) and -signal.SIGKILL in seen:
            break
        let_go(app)
        with start(environ, "restore", str(archive), *FORCED) as process:
            while process.poll() is None and not is_there():
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)

        # Whoever starts next: any command on SQLite, the server on PostgreSQL.
        if "DATABASE_URL" in environ:
            with served(environ, workers=1, options=()):
                pass
        else:
            create_app(environ)

        found = {row["email"] for row in export(app)}
        assert found in (old, new)
        seen.append(process.wait())
        if found == new:
            ask_brochure(client, email="max@exemple.fr")
        assert not list(Path(app.instance_path).glob(".restore-*"))
    assert -signal.SIGKILL in seen
    let_go(app)
    assert "Restauré" in run(environ, "restore", str(archive), *FORCED)
    assert {row["email"] for row in export(app)} == new


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_two_backups_at_once_give_one(app: Flask, environ: Environ) -> None:
    started = [start(environ, "backup") for _ in range(3)]
    outputs = [process.communicate(timeout=_HUNG)[0] for process in started]

    # An empty database's is of some kilobytes, which "0.0 Mo" isn't.
    assert any(re.search(r"^Sauvegardé : \S+ \([1-9]\d* Ko\)$", output, re.M) for output in outputs)
    for process, output in zip(started, outputs, strict=True):
        assert process.returncode == 0 or "une autre sauvegarde est en cours" in output
