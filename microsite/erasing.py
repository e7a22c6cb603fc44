"""Erasing one person for good: what is theirs, what is held back of theirs, every file that may hold them.

For commands and screens alike (RGPD, article 17).
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .keys import Keys
from .leads.models import Submission
from .leads.normalise import email_key
from .leads.queries import find_held, find_lead
from .privacy.scrubbing import Scrubbed, forget_asked, scrub_leads, scrub_submissions
from .privacy.suppression import suppress


def erase(session: Session, address: str, *, key: Keys, now: datetime) -> Scrubbed:
    """Delete what is kept of this address's owner, and note the address as a keyed hash.

    Callers commit, then clear() what is left in files (privacy/leftovers.py).

    `key` is the suppression list's (privacy/suppression.py).
    """
    # Before the lead, as when one is released: two who hold both never cross.
    held = find_held(session, address)
    own = select(Submission.id).where(Submission.id.in_(held), Submission.lead_id.is_(None)).order_by(Submission.id)
    held = list(session.scalars(own.with_for_update()))
    suppress(session, address, key=key, now=now)
    lead = find_lead(session, address)
    scrubbed = scrub_leads(session, [lead.id] if lead else [], now=now)
    scrubbed += scrub_submissions(session, held, now=now)
    forget_asked(session, {email_key(address)})
    return scrubbed
