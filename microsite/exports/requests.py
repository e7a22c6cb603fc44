"""Exports asked for: recorded, claimed by one who prepares them, noted as ready, failed or gone. Callers commit."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from ..leads.filters import LeadFilter
from ..leads.models import FormName
from ..privacy.retention import RETENTION, Rule
from .marks import Place
from .models import FAILURE_LIMIT, Export, ExportKind, ExportState

# How long a file is there to be fetched.
LIFETIME = RETENTION[Rule.EXPORT_FILES].delay.span
# Without a sign of life for so long, whoever prepared it has died.
SILENCE = timedelta(seconds=60)
_ATTEMPTS = 3
_UNFINISHED = (ExportState.WAITING, ExportState.RUNNING)


class TakenOver(Exception):
    """Somebody else prepares this export, or nobody is to any more."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What whoever prepares an export needs to know of it."""

    id: int
    token: str
    attempt: int
    kind: ExportKind
    form: FormName | None
    chosen: LeadFilter
    dialect: str
    after_wave: int

    @property
    def file_name(self) -> str:
        return file_name(self.token, self.attempt)


def file_name(token: str, attempt: int) -> str:
    return f"{token}.{attempt}.csv"


def ask(
    session: Session,
    staff_id: int,
    *,
    kind: ExportKind,
    form: FormName | None,
    chosen: LeadFilter,
    dialect: str,
    mark: Place,
    now: datetime,
) -> Export:
    export = Export(
        token=secrets.token_urlsafe(24),
        staff_id=staff_id,
        kind=kind,
        form=form,
        filter=chosen.args(),
        dialect=dialect,
        state=ExportState.WAITING,
        after_wave=mark.wave,
        after_at=mark.at,
        asked_at=now,
        beat_at=now,
    )
    session.add(export)
    session.flush()
    return export


def find_export(session: Session, token: str, *, staff_id: int) -> Export | None:
    return session.scalar(select(Export).filter_by(token=token, staff_id=staff_id))


def find_unfinished(session: Session, staff_id: int) -> Export | None:
    unfinished = select(Export).where(Export.staff_id == staff_id, Export.state.in_(_UNFINISHED))
    return session.scalar(unfinished.order_by(Export.id).limit(1))


def latest_exports(session: Session, staff_id: int, *, limit: int) -> list[Export]:
    own = select(Export).where(Export.staff_id == staff_id)
    return list(session.scalars(own.order_by(Export.id.desc()).limit(limit)))


def find_claimable(session: Session, *, now: datetime) -> int | None:
    return session.scalar(select(Export.id).where(_claimable(now)).order_by(Export.id).limit(1))


def claim(session: Session, export_id: int, *, now: datetime) -> Claim | None:
    """Take it on, or None: somebody else has. One that was taken on too often is given up."""
    taken = update(Export).where(Export.id == export_id, _claimable(now)).returning(Export.id)
    values = {"state": ExportState.RUNNING, "attempts": Export.attempts + 1, "beat_at": now, "written": 0}
    if session.scalar(taken.values(values).execution_options(synchronize_session=False)) is None:
        return None
    export = session.get_one(Export, export_id, populate_existing=True)
    if export.attempts > _ATTEMPTS:
        _end(export, ExportState.FAILED, failure="La préparation s’est interrompue plusieurs fois.")
        return None
    return Claim(
        id=export.id,
        token=export.token,
        attempt=export.attempts,
        kind=export.kind,
        form=export.form,
        chosen=LeadFilter.from_args(export.filter),
        dialect=export.dialect,
        after_wave=export.after_wave,
    )


def beat(session: Session, held: Claim, *, now: datetime, **values: Any) -> None:
    """Show a sign of life, and what is known by now. Raises TakenOver."""
    own = update(Export).where(Export.id == held.id, *_held(held)).values(beat_at=now, **values).returning(Export.id)
    if session.scalar(own.execution_options(synchronize_session=False)) is None:
        raise TakenOver(held.token)


def give_back(session: Session, held: Claim, *, now: datetime) -> None:
    """Somebody else is to begin anew: this attempt counts for nothing."""
    beat(session, held, now=now, state=ExportState.WAITING, attempts=Export.attempts - 1)


def fail(session: Session, held: Claim, *, failure: str, now: datetime) -> None:
    values = {"failure": failure[:FAILURE_LIMIT], "filter": held.chosen.summary()}
    beat(session, held, now=now, state=ExportState.FAILED, **values)


def give_up(session: Session, export: Export) -> bool:
    """Its person doesn't want it any more; False if it was finished meanwhile."""
    session.refresh(export, with_for_update=True)
    if not export.is_unfinished:
        return False
    _end(export, ExportState.FAILED, failure="Vous avez abandonné cet export.")
    return True


def forget_expired(session: Session, *, now: datetime) -> None:
    """Files an hour old are to go, and with them what was searched for."""
    old = select(Export).where(Export.state == ExportState.READY, Export.ready_at <= now - LIFETIME)
    for export in session.scalars(old.with_for_update()):
        _end(export, ExportState.REMOVED)


def begin_anew(session: Session) -> None:
    """Somebody was erased: files that are there may hold them, those being written are begun once more.

    But not by a search, which may be for their name.
    """
    living = select(Export).where(Export.state.in_((*_UNFINISHED, ExportState.READY))).order_by(Export.id)
    for export in session.scalars(living.with_for_update().execution_options(populate_existing=True)):
        if export.is_unfinished and LeadFilter.from_args(export.filter).summary() == export.filter:
            export.state = ExportState.WAITING
        else:
            _end(export, ExportState.FAILED, failure="Une personne a été effacée depuis : préparez-le de nouveau.")


def is_any_expired(session: Session, *, now: datetime) -> bool:
    old = select(Export.id).where(Export.state == ExportState.READY, Export.ready_at <= now - LIFETIME)
    return session.scalar(old.limit(1)) is not None


def kept_files(session: Session) -> set[str]:
    """Names of the files that are there for somebody, or being written."""
    kept = (*_UNFINISHED, ExportState.READY)
    rows = session.execute(select(Export.token, Export.attempts).where(Export.state.in_(kept)))
    return {file_name(token, attempts) for token, attempts in rows}


def is_available(export: Export, *, now: datetime) -> bool:
    return export.state is ExportState.READY and export.ready_at is not None and export.ready_at + LIFETIME > now


def _claimable(now: datetime) -> ColumnElement[bool]:
    died = and_(Export.state == ExportState.RUNNING, Export.beat_at < now - SILENCE)
    return or_(Export.state == ExportState.WAITING, died)


def _held(held: Claim) -> tuple[ColumnElement[bool], ...]:
    return Export.state == ExportState.RUNNING, Export.attempts == held.attempt


def _end(export: Export, state: ExportState, *, failure: str = "") -> None:
    export.state, export.failure = state, failure
    export.filter = LeadFilter.from_args(export.filter).summary()
