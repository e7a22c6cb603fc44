"""flask serve: bring the database up to date, then become the server."""

import os
import socket
import sys

import click
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy import inspect

from ..backoffice.accounts.passwords import draw_password
from ..backoffice.accounts.services import add_staff
from ..backoffice.models import Role
from ..config import PROJECT_ROOT, Settings
from ..db import BUSY_TIMEOUT, db
from ..file_lock import lock, locked
from ..keys import FILES as KEY_FILES
from ..open_days.samples import plan_samples
from ..operations.postgresql import RestoreRuns, restore_lock
from ..operations.replacement import SERVE_LOCK
from ..operations.revisions import refuse_newer_database
from ..outbox import MAILS_FOLDER
from ..web.addresses import clear_unreadable_marker
from ..web.concurrency import SERVER_THREADS
from ..web.context import current_school, current_settings, utc_now
from .group import check_own_keys, told_in_one_line

# Seconds that a stopping worker has to answer its requests: as long as one may wait to write.
_KILL_TIMEOUT = BUSY_TIMEOUT + 1
# Seconds between a worker that starts and the one whose place it takes (SIGHUP): what comes meanwhile would wait.
_RESPAWN_INTERVAL = 10
# Settings of glibc's malloc (docs/benchmarks.md has what they save). Blocks above MMAP_THRESHOLD_ bytes go back to the
# system when they are freed; glibc raises this, its default, each time a larger block is freed, unless it is set.
# ARENA_MAX: threads share one arena, since each arena keeps the memory that was freed in it.
SERVER_ENVIRON = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_ARENA_MAX": "1"}
# On a new database, so that the back-office can be tried at once (RFC 6761: .invalid is nobody's).
_FIRST_ACCOUNT = "admin@ecole.invalid"


@click.command("serve")
@click.option("--samples", is_flag=True, help="Sur une base neuve, ajoute des journées portes ouvertes d’exemple.")
@with_appcontext
def serve(samples: bool) -> None:
    """Met la base à jour, puis sert le site avec granian (PORT, MICROSITE_HOST, MICROSITE_WORKERS…)."""
    settings = current_settings()
    _lock_port(settings)
    _check_port_is_free(settings)
    clear_unreadable_marker(settings.instance_path)
    with locked(settings.instance_path / SERVE_LOCK), told_in_one_line():
        password = _bring_up_to_date(samples=samples)
    _tell_what_to_open(settings, password)
    db.engine.dispose()
    # The server reads its settings again, from another folder.
    os.environ.update(SERVER_ENVIRON, MICROSITE_INSTANCE_PATH=str(settings.instance_path))
    os.chdir(PROJECT_ROOT)
    os.execv(sys.executable, granian_command(settings))  # noqa: S606  # our own server, no shell


def _bring_up_to_date(*, samples: bool) -> str | None:
    """Return the first account's password, where one was made."""
    if db.engine.dialect.name != "postgresql":
        return _upgrade(samples=samples)
    try:
        with restore_lock(db.engine, shared=True):
            return _upgrade(samples=samples)
    except RestoreRuns:
        raise click.ClickException("une restauration est en cours sur cette base : attendez qu’elle finisse.") from None


def _upgrade(*, samples: bool) -> str | None:
    refuse_newer_database()
    is_new = not inspect(db.engine).get_table_names()
    upgrade()
    check_own_keys(*KEY_FILES)
    if not (is_new and samples):
        return None
    plan_samples(db.session(), now=utc_now())
    password = _add_first_account()
    db.session.commit()
    return password


def _lock_port(settings: Settings) -> None:
    """Take a lock that outlives the exec: it says that this port is served from this folder."""
    try:
        handle = lock(settings.instance_path / f"serve-{settings.port}.lock", wait=False)
    except BlockingIOError:
        raise click.ClickException("le site est déjà servi sur ce port, ou en train de démarrer.") from None
    os.set_inheritable(handle, True)


def _check_port_is_free(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise click.ClickException(
                f"impossible d’écouter sur {settings.host}:{settings.port} ({error.strerror}). Un serveur y tourne "
                f"peut-être encore : arrêtez-le, ou choisissez un autre port : PORT={settings.port + 1} make run"
            ) from None


def _add_first_account() -> str:
    password = draw_password()
    add_staff(
        db.session(),
        email=_FIRST_ACCOUNT,
        name="Administration",
        role=Role.ADMINISTRATOR,
        password=password,
        must_change_password=True,
        now=utc_now(),
    )
    return password


def _tell_what_to_open(settings: Settings, password: str | None) -> None:
    # The address that stands for all of them isn't one that a browser can ask for.
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  # compared, not listened on
    site = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    pages = (
        ("Article et formulaires", "/"),
        ("Brochure", "/brochure"),
        ("Portes ouvertes", "/portes-ouvertes"),
        ("Candidature", "/candidater"),
        ("Équipe", "/admissions"),
    )
    click.echo(f"\n{current_school().name}, à ouvrir dans un navigateur :")
    for label, path in pages:
        click.echo(f"  {label:<24}{site}{path}")
    if password:
        click.echo(f"\nPour l’équipe : {_FIRST_ACCOUNT}, mot de passe provisoire {password}")
        click.echo("Notez-le : il n’est montré qu’une fois (staff reset en donne un autre).")
    click.echo("\nLes contacts en CSV :     .venv/bin/flask leads export --output contacts.csv")
    if not settings.smtp_host:
        click.echo(f"Les messages, en .eml :   {settings.instance_path / MAILS_FOLDER}")
    click.echo("Pour arrêter :            Ctrl+C\n")


def granian_command(settings: Settings) -> list[str]:
    """What serves an installation whose database is up to date."""
    return [
        *(sys.executable, "-P", str(PROJECT_ROOT / "microsite" / "listening.py"), "microsite.served:app"),
        *("--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--host", settings.host, "--port", str(settings.port)),
        *("--workers", str(settings.workers), "--blocking-threads", str(settings.threads * SERVER_THREADS)),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(_KILL_TIMEOUT), "--log-level", "warning"),
        *("--respawn-interval", str(_RESPAWN_INTERVAL)),
        *("--log-config", str(PROJECT_ROOT / "microsite" / "cli" / f"server_log_{settings.log_format}.json")),
    ]
