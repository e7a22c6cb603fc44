"""Preparing an export: gathered, written to a file of its own, noted as ready only once all of it is there.

In short transactions of its own; whoever dies on the way leaves an export that another one begins anew, and a file that
nobody is shown.
"""

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ..db import UNAVAILABLE, db, reading, writing
from ..leads.filters import LeadFilter
from ..leads.matching import count_up_to
from ..leads.models import FormName
from ..school import School
from . import requests, waves
from .columns import Writing
from .dialects import Dialect, ExcelFr, Rfc4180
from .models import ExportKind, ExportState
from .requests import Claim, TakenOver
from .services import file_when_complete, found_rows, write_csv
from .sheets import Sheet, fewest_leads, new_sheet, sheet_of

logger = logging.getLogger("microsite.exports")

# Rows that are written while somebody waits for the page.
AT_ONCE = 5000
# A spreadsheet opens either of them: formulas are guarded in both.
DIALECTS: dict[str, Dialect] = {"excel-fr": ExcelFr(), "rfc4180": Rfc4180(guards_formulas=True)}
# Seconds between two signs of life.
_BEAT_EVERY = 1.0
# Seconds left to the pages of the same process after each batch.
_REST = 0.005


class Stopped(Exception):
    """The process ends: another one goes on."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where and with what exports are prepared; `is_stopping` is asked between batches."""

    folder: Path
    school: School
    clock: Callable[[], datetime]
    is_stopping: Callable[[], bool] = lambda: False


def folder_of(instance_path: Path) -> Path:
    return instance_path / "exports"


def is_quick(kind: ExportKind, form: FormName | None, chosen: LeadFilter, *, after: int) -> bool:
    """Whether it is ready as soon as a page is."""
    session = db.session()
    if form is not None:
        return waves.count_new(session, form, after=after, limit=AT_ONCE + 1) <= AT_ONCE
    ids = sheet_of(kind, chosen, fewest_leads(session, chosen)).ids
    return count_up_to(session, ids.order_by(None), AT_ONCE + 1) <= AT_ONCE


def prepare_next(workshop: Workshop) -> bool:
    """Prepare one that waits, or whose preparation has died; False if there is none."""
    with reading():
        export_id = requests.find_claimable(db.session(), now=workshop.clock())
    return export_id is not None and prepare(export_id, workshop)


def prepare(export_id: int, workshop: Workshop) -> bool:
    """Prepare this one, unless somebody else does; what becomes of it stands in its row."""
    with writing():
        held = requests.claim(db.session(), export_id, now=workshop.clock())
    if held is None:
        return False
    try:
        _prepare(held, workshop)
    except TakenOver:
        logger.info("export %d was taken over, or given up", held.id)
    except Stopped:
        _note(requests.give_back, held, workshop)
    except OSError as error:
        _note(partial(requests.fail, failure=f"Le fichier n’a pas pu être écrit ({error.strerror})."), held, workshop)
    except UNAVAILABLE:
        # Begun anew once the database is back and the silence is noticed.
        raise
    except Exception as error:
        # The error's own words may be somebody's data: where it happened is told, not what it says.
        frames = "".join(traceback.format_tb(error.__traceback__))
        logger.error("export %d can't be written: %s\n%s", held.id, type(error).__name__, frames)  # noqa: TRY400
        _note(partial(requests.fail, failure="Le fichier n’a pas pu être préparé."), held, workshop)
    return True


def sweep(workshop: Workshop) -> None:
    """Remove files that are an hour old, and what those who died have left."""
    with reading():
        is_any_expired = requests.is_any_expired(db.session(), now=workshop.clock())
    if is_any_expired:
        with writing():
            requests.forget_expired(db.session(), now=workshop.clock())
    # Listed first: a file that comes later belongs to an export that was recorded before.
    paths = list(workshop.folder.glob("*")) + list(workshop.folder.glob(".*.tmp"))
    with reading():
        kept = requests.kept_files(db.session())
    for path in paths:
        # A draft is named after its file.
        if not any(name in path.name for name in kept):
            path.unlink(missing_ok=True)


def gather_all(workshop: Workshop) -> None:
    """See to it that whatever counts by now has its wave."""
    with reading():
        is_any = waves.is_any_to_gather(db.session())
    while is_any and not workshop.is_stopping():
        with writing():
            is_any = waves.gather_wave(db.session(), now=workshop.clock()) == waves.LARGEST


def _prepare(held: Claim, workshop: Workshop) -> None:
    if held.kind is ExportKind.NEW:
        gather_all(workshop)
    if workshop.is_stopping():
        raise Stopped
    cut_at = workshop.clock()
    with reading():
        upto = waves.last_wave(db.session())
        sheet = _sheet(held, upto)
    workshop.folder.mkdir(mode=0o700, exist_ok=True)
    path = workshop.folder / held.file_name
    with file_when_complete(path) as stream:
        written = _write(held, sheet, stream, workshop)
    _beat(
        held,
        workshop,
        state=ExportState.READY,
        ready_at=workshop.clock(),
        total=written,
        written=written,
        size=path.stat().st_size,
        upto_wave=upto if held.kind is ExportKind.NEW else None,
        cut_at=cut_at,
    )


def _write(held: Claim, sheet: Sheet, stream: BinaryIO, workshop: Workshop) -> int:
    writing_as = Writing(dialect=DIALECTS[held.dialect], school=workshop.school)
    written, beat_at = 0, time.monotonic()
    with reading(), found_rows(db.session(), sheet) as rows:
        _beat(held, workshop, total=len(rows))
        for written in write_csv(db.session(), stream, sheet, rows, writing_as):
            if workshop.is_stopping():
                raise Stopped
            if time.monotonic() - beat_at >= _BEAT_EVERY:
                _beat(held, workshop, written=written)
                beat_at = time.monotonic()
            time.sleep(_REST)
    return written


def _sheet(held: Claim, upto: int) -> Sheet:
    if held.form is not None:
        return new_sheet(held.form, after=held.after_wave, upto=upto)
    return sheet_of(held.kind, held.chosen, fewest_leads(db.session(), held.chosen))


def _beat(held: Claim, workshop: Workshop, **values: Any) -> None:
    with writing():
        requests.beat(db.session(), held, now=workshop.clock(), **values)


def _note(end: Callable[..., None], held: Claim, workshop: Workshop) -> None:
    try:
        with writing():
            end(db.session(), held, now=workshop.clock())
    except TakenOver:
        logger.info("export %d was taken over, or given up", held.id)
