"""In which order submissions begin to count, for all who ask what is new.

Neither ids nor times tell: on PostgreSQL a transaction may commit a lower id later, and one released from quarantine
counts long after it was sent. So whatever counts and has no wave yet is gathered into the next wave, one gathering at a
time: all of a wave that can be seen, and of those before it, is there for good.
"""

from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from ..leads.matching import count_up_to
from ..leads.models import FormName, Submission
from .models import Wave

# Submissions in one wave: others who write wait for so many.
LARGEST = 5000
# Held submissions have no lead.
_WAITING = (Submission.wave.is_(None), Submission.lead_id.is_not(None))


def is_any_to_gather(session: Session) -> bool:
    return session.scalar(select(Submission.id).where(*_WAITING).limit(1)) is not None


def gather_wave(session: Session, *, now: datetime) -> int:
    """Make the next wave; of how many. Callers commit, at once."""
    if session.get_bind().dialect.name == "postgresql":
        # SQLite has one writer at a time anyway.
        session.execute(text("LOCK TABLE export_waves IN EXCLUSIVE MODE"))
    ids = session.scalars(select(Submission.id).where(*_WAITING).order_by(Submission.id).limit(LARGEST)).all()
    if ids:
        wave = Wave(at=now)
        session.add(wave)
        session.flush()
        chosen = update(Submission).where(Submission.id.in_(ids)).values(wave=wave.id)
        session.execute(chosen.execution_options(synchronize_session=False))
    return len(ids)


def last_wave(session: Session) -> int:
    """0 where there is none."""
    return session.scalar(select(func.max(Wave.id))) or 0


def wave_before(session: Session, moment: datetime) -> int:
    """The last one that holds nothing of what began to count after that moment."""
    return session.scalar(select(func.max(Wave.id)).where(Wave.at <= moment)) or 0


def count_new(session: Session, form: FormName, *, after: int, limit: int) -> int:
    """What of this form came after that wave, gathered or not, counted as far as `limit`."""
    gathered = select(Submission.id).where(Submission.form == form, Submission.wave > after)
    waiting = select(Submission.id).where(Submission.form == form, *_WAITING)
    return min(limit, count_up_to(session, gathered, limit) + count_up_to(session, waiting, limit))
