"""/admissions/exports: what can be taken out, with its number; pressing a button answers with the file."""

import errno
import logging
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from tempfile import TemporaryFile
from time import sleep
from typing import IO

from flask import Response, make_response, redirect, render_template, request, send_file, url_for
from sqlalchemy import Select

from ...db import WRITE_DEADLINE, db, reading, writing
from ...exports.bookmarks import (
    BookmarkMoved,
    Owner,
    Position,
    count_new,
    find_bookmark,
    latest_exports,
    number_submissions,
    put_bookmark,
)
from ...exports.columns import FORMS, Writing
from ...exports.dialects import DIALECTS
from ...exports.files import write_csv
from ...exports.models import Export, ExportKind
from ...exports.sheets import fewest_leads, new_sheet, sheet_of
from ...leads.filters import Agreement, LeadFilter
from ...leads.matching import count_up_to
from ...leads.models import FormName
from ...web.context import current_school, current_settings, utc_now
from ..access import ADMISSIONS, current_staff, for_roles
from ..audit import note
from ..blueprint import bp
from ..leads.words import described
from ..models import StaffMember, StaffSession
from .words import DIALECT_LABELS, KINDS, NEW_REQUESTS, count_label, counted_as, download_name, title

logger = logging.getLogger("microsite.exports")

# Beyond, the page says « plus de »; the file has its exact number.
COUNTED = 1000
_RECENT = 8
# What a button sends.
_PLAIN = {"demandes": ExportKind.VIEW, "appel": ExportKind.CALL, "courrier": ExportKind.WRITE}
_NEW = "nouveautes-"
# Exports that a process writes at once: more would take the threads and the processor from the other pages.
AT_ONCE = threading.BoundedSemaphore(2)
# Seconds left to the pages of the same process after each batch of rows.
_REST = 0.005
_BUSY = "Deux exports sont déjà en cours. Rien n’est perdu : réessayez dans un instant."
_MOVED = (
    "Votre marque a bougé entre-temps, dans un autre onglet peut-être. Pour ne rien donner deux fois, aucun fichier "
    "n’est sorti : regardez ci-dessous ce qui est nouveau, puis recommencez."
)
_DISK_FULL = (
    "Aucun fichier : il n’y a plus de place sur le disque du site. Votre marque n’a pas bougé. Prévenez qui s’occupe "
    "du site, puis recommencez."
)
_NOT_WRITTEN = (
    "Aucun fichier : il n’a pas pu être écrit. Votre marque n’a pas bougé. Prévenez qui s’occupe du site, puis "
    "recommencez."
)


@dataclass(frozen=True, kw_only=True)
class _New:
    form: FormName
    label: str
    since: datetime | None
    count: str
    is_empty: bool


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What somebody asks for; `form` is of NEW alone."""

    kind: ExportKind
    form: FormName | None
    chosen: LeadFilter
    dialect: str


@bp.get("/exports")
@for_roles(ADMISSIONS)
def exports() -> Response:
    return _page(_chosen(request.args))


@bp.post("/exports")
@for_roles(ADMISSIONS)
def export_leads() -> Response:
    wanted = _wanted(request.form)
    if wanted is None:
        return _back_to_page("export-inconnu")
    if not AT_ONCE.acquire(blocking=False):
        return _refuse(wanted, _BUSY, 503)
    try:
        return _export(wanted)
    except BookmarkMoved:
        return _refuse(wanted, _MOVED, 409)
    except OSError as error:
        logger.warning("an export can't be written: %s", error.strerror)
        return _refuse(wanted, _DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else _NOT_WRITTEN, 503)
    finally:
        AT_ONCE.release()


def _export(wanted: _Wanted) -> Response:
    """Write the file, then move the bookmark and note the export, then answer with the file. Raises OSError.

    The file is complete before anything of it is sent: granian ends a broken stream as if it were complete. It has no
    name (O_TMPFILE), so that the system removes it however the process ends, and lies in the instance folder, since
    /tmp may be kept in memory.
    """
    exported_at = utc_now()
    upto = number_submissions(utc_now) if wanted.form else 0
    file = TemporaryFile(dir=current_settings().instance_path)  # noqa: SIM115  # closed with the response
    with ExitStack() as unless_sent:
        unless_sent.callback(_close, file)
        export = _write(file, wanted, exported_at=exported_at, upto=upto)
        name = download_name(export)
        if wanted.form and not export.row_count:
            return _back_to_page("rien-de-nouveau")
        if not _record(export, wanted.chosen, upto):
            return _back_to_page()
        unless_sent.pop_all()
    return _send(file, name)


def _write(file: IO[bytes], wanted: _Wanted, *, exported_at: datetime, upto: int) -> Export:
    written, before = 0, Position()
    writing_as = Writing(dialect=DIALECTS[wanted.dialect], school=current_school())
    with reading():
        if wanted.form:
            before = find_bookmark(db.session(), Owner(staff_id=current_staff().id), wanted.form)
            sheet = new_sheet({wanted.form: before.batch}, upto=upto)
        else:
            sheet = sheet_of(wanted.kind, wanted.chosen, fewest_leads(db.session(), wanted.chosen))
        for count in write_csv(db.session(), file, sheet, writing_as):
            written = count
            sleep(_REST)
    file.flush()
    return Export(
        staff_id=current_staff().id,
        kind=wanted.kind,
        form=wanted.form,
        dialect=wanted.dialect,
        row_count=written,
        after_batch=before.batch,
        after_at=before.at,
        exported_at=exported_at,
    )


def _close(file: IO[bytes]) -> None:
    # It tries once more to write what didn't fit.
    with suppress(OSError):
        file.close()


def _record(export: Export, chosen: LeadFilter, upto: int) -> bool:
    """Move the bookmark and note the export; False if its person has lost the right to it. Raises BookmarkMoved."""
    # What the file took isn't taken from the time that the database is waited for.
    request.environ.pop(WRITE_DEADLINE, None)
    with writing():
        if not _may_still_export():
            return False
        if export.form:
            to = Position(batch=upto, at=export.exported_at)
            put_bookmark(db.session(), Owner(staff_id=export.staff_id), export.form, to, after=export.after_batch)
        db.session.add(export)
        db.session.flush()
        # Without what was searched for.
        details = chosen.summary() | ({"formulaire": export.form.value} if export.form else {})
        note(
            db.session(),
            "leads exported",
            staff_id=export.staff_id,
            now=utc_now(),
            subject="export",
            subject_id=export.id,
            sorte=KINDS[export.kind],
            lignes=export.row_count,
            format=export.dialect,
            **details,
        )
    return True


def _may_still_export() -> bool:
    """Ask again, for the file may have taken a while. The person's row is locked: tabs take turns."""
    member = db.session.get_one(StaffMember, current_staff().id, with_for_update={"key_share": True})
    own = db.session.get(StaffSession, current_staff().session_id)
    return member.role in ADMISSIONS and own is not None and own.ended_at is None


def _send(file: IO[bytes], name: str) -> Response:
    size = file.tell()
    file.seek(0)
    response = send_file(file, mimetype="text/csv", as_attachment=True, download_name=name, conditional=False)
    response.content_length = size
    response.headers["Cache-Control"] = "no-store"
    return response


def _back_to_page(done: str | None = None) -> Response:
    return make_response(redirect(url_for("backoffice.exports", fait=done)), 303)


def _refuse(wanted: _Wanted, problem: str, status: int) -> Response:
    with reading():
        return _page(wanted.chosen, dialect=wanted.dialect, problem=problem, status=status)


def _page(chosen: LeadFilter, *, dialect: str = "", problem: str = "", status: int = 200) -> Response:
    own = latest_exports(db.session(), current_staff().id, limit=_RECENT)
    few = fewest_leads(db.session(), chosen)
    page = render_template(
        "backoffice/exports.html",
        chosen=chosen,
        described=described(chosen, current_school()),
        requests=_count(ExportKind.VIEW, chosen, few),
        to_call=_count(ExportKind.CALL, chosen, few),
        to_write=_count(ExportKind.WRITE, chosen, few),
        news=[_new(form, label) for form, label in FORMS.items()],
        dialects=DIALECT_LABELS,
        dialect=dialect or (own[0].dialect if own else next(iter(DIALECT_LABELS))),
        recent=[(one, title(one), count_label(one.row_count, counted_as(one.kind))) for one in own],
        # In place of what the address says was done.
        **({"done": problem} if problem else {}),
    )
    return make_response(page, status)


def _wanted(form: Mapping[str, str]) -> _Wanted | None:
    sort, dialect = form.get("sorte", ""), form.get("format", "")
    name = sort.removeprefix(_NEW)
    if dialect not in DIALECTS:
        return None
    if sort in _PLAIN:
        return _Wanted(kind=_PLAIN[sort], form=None, chosen=_chosen(form), dialect=dialect)
    if sort.startswith(_NEW) and name in set(FormName):
        return _Wanted(kind=ExportKind.NEW, form=FormName(name), chosen=LeadFilter(), dialect=dialect)
    return None


def _chosen(args: Mapping[str, str]) -> LeadFilter:
    """In which order a list was looked at doesn't matter here."""
    return replace(LeadFilter.from_args(args), sort=LeadFilter.sort, is_reversed=False)


def _new(form: FormName, label: str) -> _New:
    bookmark = find_bookmark(db.session(), Owner(staff_id=current_staff().id), form)
    count = count_new(db.session(), form, after=bookmark.batch, limit=COUNTED + 1)
    shown = count_label(count, NEW_REQUESTS, limit=COUNTED)
    return _New(form=form, label=label, since=bookmark.at, count=shown, is_empty=count == 0)


def _count(kind: ExportKind, chosen: LeadFilter, few: Select[int] | None) -> str:
    # Nobody held back, and nobody who agreed to nothing, is on a list of people.
    if kind is not ExportKind.VIEW and (chosen.is_of_submissions or chosen.consent is Agreement.NONE):
        return ""
    ids = sheet_of(kind, chosen, few).ids
    return count_label(count_up_to(db.session(), ids, COUNTED + 1), counted_as(kind), limit=COUNTED)
