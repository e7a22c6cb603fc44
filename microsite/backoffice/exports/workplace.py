"""Where this installation prepares exports, and whose they are."""

from ...db import db
from ...exports.preparing import Workshop, folder_of
from ...web.context import current_school, current_settings, utc_now
from ..access import current_staff
from ..models import StaffMember


def workshop() -> Workshop:
    return Workshop(folder=folder_of(current_settings().instance_path), school=current_school(), clock=utc_now)


def hold_own_row() -> None:
    """One thing at a time for one person, however many tabs: held until the transaction ends."""
    db.session.get_one(StaffMember, current_staff().id, with_for_update={"key_share": True}, populate_existing=True)
