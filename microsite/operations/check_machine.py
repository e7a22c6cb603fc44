"""What ops check finds around the site: mail server, counter, backups, disk, and who else may read what is ours."""

import shutil
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from ..db import db
from ..keys import FILES as KEY_FILES
from ..outbox import MAILS_FOLDER
from ..outbox.answers import Unreachable
from ..outbox.messages import current_outbox, mail_address
from ..outbox.transports import SmtpTransport
from ..sqlite_engine import FIRST_SAFE_WAL, sqlite, wal_is_safe
from ..web.addresses import unreadable_since
from ..web.context import current_school, current_settings, utc_now
from ..web.limits import counter_answers
from .backup import FOLDER, find_backups
from .check_dns import sender_findings

# A daily backup that came late, or whose machine was off for a night.
_BACKUP_AGE = timedelta(hours=36)
# How long ago a server may have met an address that it can't read.
_UNREADABLE_FOR = timedelta(hours=24)
# In bytes: what a backup and a few days of submissions may take, beside twice the database.
_FREE = 500_000_000
# What only the owner may read; folders with all that is in them.
_PRIVATE = ("*.sqlite3*", *KEY_FILES, MAILS_FOLDER, FOLDER, "exports", "brochures")
# Files of one kind that are named.
_NAMED = 3


def service_findings(*, fast: bool) -> Iterator[str]:
    settings, transport = current_settings(), current_outbox().transport
    if not settings.smtp_host:
        yield f"MICROSITE_SMTP_HOST : sans lui, les messages restent dans {settings.instance_path / MAILS_FOLDER}"
    elif not fast and isinstance(transport, SmtpTransport):
        try:
            transport.knock()
        except Unreachable as error:
            yield f"Serveur SMTP {transport} : {error} ; vérifiez MICROSITE_SMTP_*, et qu’il est joignable d’ici"
        domain = mail_address(current_school().mail.sender).rpartition("@")[2]
        yield from sender_findings(domain, settings)
    if not fast and not counter_answers():
        yield "MICROSITE_LIMITER_URL : ce compteur ne répond pas ; chaque processus compte alors les envois pour lui"


def machine_findings() -> Iterator[str]:
    yield from _proxy_findings()
    yield from _backup_findings()
    yield from _disk_findings()
    yield from _permission_findings()


def notes() -> Iterator[str]:
    """What calls for nothing, and is good to know."""
    if db.engine.dialect.name == "sqlite" and not wal_is_safe(sqlite.sqlite_version_info):
        wanted = ".".join(map(str, FIRST_SAFE_WAL))
        yield f"SQLite {sqlite.sqlite_version}, avant {wanted} : le site s’en sert sans WAL, et écrit moins vite."


def _proxy_findings() -> Iterator[str]:
    settings = current_settings()
    if not unreadable_since(settings.instance_path, utc_now(), within=_UNREADABLE_FOR):
        return
    yield (
        f"MICROSITE_PROXIES={settings.proxies} : depuis moins de 24 heures, des envois sont arrivés sans adresse "
        "lisible du visiteur (X-Forwarded-For absent, trop court, sans adresse IP, ou avec celle d’un réseau privé) ; "
        "la limite par adresse est suspendue pour eux. Réglez le serveur mandataire (docs/deploy/README.md), puis "
        "redémarrez le site"
    )


def _backup_findings() -> Iterator[str]:
    backups = find_backups(current_settings().instance_path / FOLDER)
    if not backups:
        yield "Aucune sauvegarde : flask ops backup, chaque jour (docs/deploy/README.md)"
    elif (age := utc_now() - backups[0].made_at) > _BACKUP_AGE:
        hours = age // timedelta(hours=1)
        yield f"La dernière sauvegarde a {hours} heures : flask ops backup, chaque jour"


def _disk_findings() -> Iterator[str]:
    instance, database = current_settings().instance_path, _database_file()
    size = database.stat().st_size if database and database.exists() else 0
    for folder in {instance, database.parent if database else instance}:
        free = shutil.disk_usage(folder).free if folder.is_dir() else 0
        if free < _FREE + 2 * size:
            yield f"Disque : {free / 1e6:.0f} Mo libres pour {folder}, il en faut {(_FREE + 2 * size) / 1e6:.0f}"


def _permission_findings() -> Iterator[str]:
    instance, database = current_settings().instance_path, _database_file()
    paths = [instance, *(path for pattern in _PRIVATE for path in _with_contents(instance, pattern))]
    if database is not None and database.parent != instance:
        paths += database.parent.glob(f"{database.name}*")
    open_ones = [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in open_ones[:_NAMED]:
        yield f"{path} : d’autres comptes de la machine peuvent le lire ; chmod {700 if path.is_dir() else 600} {path}"
    if len(open_ones) > _NAMED:
        yield f"… et {len(open_ones) - _NAMED} autres ; chmod -R go= {instance}"


def _with_contents(instance: Path, pattern: str) -> Iterator[Path]:
    for path in instance.glob(pattern):
        yield path
        if path.is_dir():
            yield from path.rglob("*")


def _database_file() -> Path | None:
    return Path(str(db.engine.url.database)) if db.engine.dialect.name == "sqlite" else None
