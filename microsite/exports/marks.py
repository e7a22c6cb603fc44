"""Each person's mark in each form: what came after it is new to them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..leads.models import FormName
from .models import Export, ExportKind, ExportMark


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a mark stands, or may: after this wave, which was seen at this time; None is the very beginning."""

    wave: int = 0
    at: datetime | None = None


def find_mark(session: Session, staff_id: int, form: FormName) -> Place:
    found = session.get(ExportMark, (staff_id, form), populate_existing=True)
    return Place(wave=found.wave, at=found.at) if found else Place()


def put_mark(session: Session, staff_id: int, form: FormName, place: Place) -> None:
    session.merge(ExportMark(staff_id=staff_id, form=form, wave=place.wave, at=place.at))


def advance_mark(session: Session, export: Export) -> bool:
    """Move the mark behind what this export holds; False where it has moved since the export was asked for.

    Then it stays: nothing is passed over unseen. Callers hold the person's own row, so that two fetches take turns.
    """
    if export.form is None or export.upto_wave is None:
        return False
    if find_mark(session, export.staff_id, export.form).wave != export.after_wave:
        return False
    put_mark(session, export.staff_id, export.form, Place(wave=export.upto_wave, at=export.cut_at))
    return True


def places_before(session: Session, staff_id: int, form: FormName, *, limit: int) -> list[Export]:
    """What this person took last of what was new: the mark may go back before each."""
    own = select(Export).where(Export.staff_id == staff_id, Export.kind == ExportKind.NEW, Export.form == form)
    taken = own.where(Export.fetched_at.is_not(None), Export.upto_wave.is_not(None))
    return list(session.scalars(taken.order_by(Export.id.desc()).limit(limit)))
