"""What submissions led to, counted by the database among those that a statement groups."""

from sqlalchemy import ColumnElement, and_, case, exists, func

from ..brochures.models import BrochureDownload
from ..leads.models import FormName, Submission
from ..open_days.models import EXPECTED, Registration


def count_opened() -> ColumnElement[int]:
    """Those whose brochure was opened, once or more."""
    # Only who can have one is looked for among the downloads: engines stop at the first condition that is false.
    own = exists().where(BrochureDownload.submission_id == Submission.id)
    return _count_if(and_(Submission.form == FormName.BROCHURE, own))


def count_seated() -> ColumnElement[int]:
    """Those that hold a seat, or came."""
    own = exists().where(Registration.submission_id == Submission.id, Registration.state.in_(EXPECTED))
    return _count_if(and_(Submission.form == FormName.OPEN_DAY, own))


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
