"""What ops check asks the database: reachable, migrated, sound, and what its rows tell."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from ..db import db, reading
from ..formatters import format_day, format_number
from ..keys import FILES as KEY_FILES
from ..keys.fingerprints import key_faults
from ..leads.models import Submission
from ..leads.unasked import count_unasked
from ..open_days.queries import all_slots
from ..outbox.holds import find_hold, hold_sentences
from ..outbox.models import MailStatus
from ..outbox.queries import count_by_status, due_since
from ..privacy.runs import is_late
from ..samples.services import has_samples
from ..sqlite_engine import sqlite
from ..web.context import current_settings, utc_now
from ..web.typography import french
from .check_parted import parted_findings
from .revisions import current_revision, find_newer_revision, scripts
from .sqlite_files import find_faults

# By how much clocks of two machines may differ, or one be put back, without anybody's notice.
_CLOCK = timedelta(minutes=2)
# A mail that was due for so long waits for a worker that doesn't come, or for a server that takes none.
_LATE = timedelta(minutes=15)
# SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html).
_DAMAGED = (11, 26)
_UNREADABLE = "Base de données illisible ({}) : restaurez une sauvegarde, flask ops restore"


def database_findings(*, fast: bool) -> Iterator[str]:
    try:
        yield from _revision_findings()
        if db.engine.dialect.name == "sqlite":
            yield from _sqlite_findings(fast=fast)
    except DBAPIError as error:
        damaged = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
        yield _UNREADABLE.format(error.orig) if damaged else f"Base de données injoignable : {error.orig}"
    except sqlite.Error as error:
        yield _UNREADABLE.format(error)


def key_findings() -> Iterator[str]:
    with reading():
        for fault in key_faults(db.session(), current_settings().instance_path, *KEY_FILES):
            yield f"Clés : {fault}"


def row_findings() -> Iterator[str]:
    """Of a database that is reachable and up to date."""
    with reading():
        if any(slot.is_sample for slot in all_slots(db.session())):
            yield "Des journées d’exemple sont proposées : flask open-days remove-samples"
        if has_samples(db.session()):
            yield "Des demandes d’exemple sont dans la base : flask ops sample --remove"
        if is_late(db.session(), now=utc_now()):
            yield "Effacement quotidien : aucun depuis deux jours ; site arrêté ? flask privacy purge"
        if dead := count_by_status(db.session())[MailStatus.DEAD]:
            yield f"Messages refusés : {dead} ; voyez flask outbox list"
        yield from parted_findings(db.session(), now=utc_now())
        yield from _held_findings() or _waiting_findings(utc_now())
        yield from _clock_findings(utc_now())


def row_notes() -> Iterator[str]:
    """What calls for nothing, and is good to know."""
    with reading():
        count, since = count_unasked(db.session())
    if count and since is not None:
        people = format_number(count) + (" personnes ont" if count > 1 else " personne a")
        yield french(
            f"{people} accepté les e-mails avant le {format_day(since)}, quand le site n’envoyait pas "
            "encore de messages : rien n’a demandé de confirmer cet accord, et il ne l’est pas. Pas d’actualités par "
            "e-mail avant cette confirmation : le prochain formulaire, case cochée, ou l’espace personnel la demande."
        )


def _revision_findings() -> Iterator[str]:
    if newer := find_newer_revision():
        yield newer
        return
    current, newest = current_revision(), scripts().get_current_head()
    if current != newest:
        yield f"Base de données en version {current or 'vide'}, attendue {newest} : lancez flask db upgrade"


def _sqlite_findings(*, fast: bool) -> Iterator[str]:
    for fault in find_faults(Path(str(db.engine.url.database)), fast=fast):
        yield f"Base de données abîmée : {fault} ; restaurez une sauvegarde, flask ops restore"


def _held_findings() -> list[str]:
    hold = find_hold(db.session())
    if hold is None:
        return []
    return [f"{hold_sentences(hold)} Essayer maintenant : flask outbox retry --now"]


def _waiting_findings(now: datetime) -> Iterator[str]:
    since = due_since(db.session(), now=now)
    if since is not None and now - since > _LATE:
        minutes = (now - since) // timedelta(minutes=1)
        yield f"Des messages attendent depuis {minutes} minutes : le site est-il servi ? flask outbox list"


def _clock_findings(now: datetime) -> Iterator[str]:
    """What can be told without asking another machine: against PostgreSQL's clock, or the latest row of one's own."""
    if db.engine.dialect.name == "postgresql":
        gap = db.session.scalars(select(func.clock_timestamp())).one() - now
        if abs(gap) > _CLOCK:
            yield f"Horloge : {abs(gap).total_seconds():.0f} s d’écart avec celle de PostgreSQL ; réglez-les (NTP)"
    latest = db.session.scalar(select(func.max(Submission.submitted_at)))
    if latest is not None and latest - now > _CLOCK:
        yield f"Horloge : la dernière demande date de {latest:%d/%m/%Y %H:%M} UTC, dans l’avenir ; réglez l’heure (NTP)"
