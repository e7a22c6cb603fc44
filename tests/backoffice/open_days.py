"""A slot at 10:00 on 7 March 2099 and its people, for the back-office's tests; audit entries."""

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import select

from microsite.backoffice.models import AuditEntry
from microsite.db import db
from microsite.leads.models import Submission
from microsite.open_days.models import Registration, Slot

# 9:00 in Paris; the slot begins at 10:00.
MORNING = datetime(2099, 3, 7, 8, tzinfo=UTC)
BEFORE = datetime(2099, 2, 1, 8, tzinfo=UTC)


def registration(app: Flask, reference: str) -> Registration:
    with app.app_context():
        theirs = select(Registration).join(Registration.submission).where(Submission.reference == reference)
        return db.session.scalars(theirs).one()


def slot(app: Flask, slot_id: str) -> Slot:
    with app.app_context():
        return db.session.get_one(Slot, int(slot_id))


def slots(app: Flask) -> list[Slot]:
    with app.app_context():
        return list(db.session.scalars(select(Slot).order_by(Slot.starts_at)))


def audited(app: Flask, action: str) -> list[AuditEntry]:
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry).filter_by(action=action).order_by(AuditEntry.id)))
