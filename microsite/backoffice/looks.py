"""When the team has looked at one person, or changed something of theirs: for the copy that the person is given."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from ..leads.models import Submission
from ..open_days.models import Registration
from ..privacy.models import PrivacyRequest
from .labels import action_label
from .models import AuditEntry, Role, StaffMember

# Whoever looked is named by what they do (CJUE, 22 June 2023, C-579/21: dates and purposes, not the employees).
_ROLES = {
    Role.ADMISSIONS: "l’équipe des admissions",
    Role.MARKETING: "l’équipe de communication",
    Role.ADMINISTRATOR: "un administrateur",
}
# Subjects of the log that are about one lead.
_THEIRS = (("submission", Submission), ("registration", Registration), ("privacy request", PrivacyRequest))
_NOBODY = "une commande de qui exploite le site"


def looks_at(session: Session, lead_id: int | None) -> list[dict[str, Any]]:
    """Oldest first, as far back as the log goes (retention.py)."""
    if lead_id is None:
        return []
    entries = select(AuditEntry.at, AuditEntry.action, StaffMember.role)
    entries = entries.outerjoin(StaffMember, StaffMember.id == AuditEntry.staff_id).where(or_(*_about(lead_id)))
    rows = session.execute(entries.order_by(AuditEntry.id))
    return [
        {"le": at, "par": _ROLES[role] if role else _NOBODY, "quoi": action_label(action)} for at, action, role in rows
    ]


def _about(lead_id: int) -> Iterator[ColumnElement[bool]]:
    subject = AuditEntry.subject, AuditEntry.subject_id
    yield and_(subject[0] == "lead", subject[1] == lead_id)
    for kind, model in _THEIRS:
        ids = select(model.id).where(model.lead_id == lead_id)
        yield and_(subject[0] == kind, subject[1].in_(ids))
