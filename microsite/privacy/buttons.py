"""What all buttons of the personal page do alike: open the link, act once, lead back with what to say of it."""

from collections.abc import Callable
from datetime import datetime

from flask import Response, abort, make_response, redirect, url_for
from sqlalchemy.orm import Session

from ..db import db
from ..leads.emails import SPACE, SPACE_LIFETIME
from ..leads.links import MailedLink, mailed_token, open_mailed
from ..leads.models import Lead
from ..open_days.models import Registration
from ..open_days.seats import SlotFull
from ..open_days.services import RegistrationOver
from ..web.context import utc_now
from ..web.limits import refuse_flood
from . import notices
from .queries import lock_lead
from .tickets import is_lapsed

# The key of what there is to say of it (notices.py).
Change = Callable[[Session, Lead, datetime], str]


def press(token: str, change: Change, *, revokes: str | None = None) -> Response:
    """Make the change, all of it or nothing, and go back to the page.

    A repeat and a refusal change no row. `revokes`: the change ends every link mailed before, and the way goes on with
    a fresh one; this is what its repeat says, which comes by a link that has ended.
    """
    refuse_flood()
    link = open_mailed(SPACE, token, lifetime=SPACE_LIFETIME)
    session, now = db.session(), utc_now()
    lock_lead(session, link.lead)
    if not (link.is_current or revokes):
        abort(410)
    key = _try(change, link.lead, now)
    if not link.is_current:
        session.rollback()
        return _see(url_for("privacy.renew", fait=revokes)) if key == notices.REPEATED else abort(410)
    if key == notices.REPEATED or notices.NOTICES[key].is_refusal:
        session.rollback()
        return to_space(token, key)
    link.lead.last_contact_at = now
    if revokes:
        token = _revoke_others(link)
    session.commit()
    return to_space(token, key)


def to_space(token: str, key: str | None = None) -> Response:
    return _see(url_for(SPACE, token=token, fait=key))


def _try(change: Change, lead: Lead, now: datetime) -> str:
    try:
        return change(db.session(), lead, now)
    except SlotFull:
        return notices.FULL
    except RegistrationOver as error:
        return _why_over(error.registration, now)


def _why_over(registration: Registration, now: datetime) -> str:
    slot = registration.slot
    if slot.cancelled_at is not None:
        return notices.CALLED_OFF
    if slot.starts_at <= now:
        return notices.BEGUN
    return notices.LAPSED if is_lapsed(registration, now) else notices.OVER


def _revoke_others(link: MailedLink) -> str:
    link.lead.link_version += 1
    return mailed_token(SPACE, link.submission)


def _see(address: str) -> Response:
    # 303: a reload shows the page again and presses nothing.
    return make_response(redirect(address, 303), {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"})
