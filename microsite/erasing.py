"""Erasing one person for good: what is theirs, what is held back of theirs, every file that may hold them.

Across exports and privacy, for commands and screens alike (RGPD, article 17).
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from .exports.preparing import Workshop, folder_of, sweep
from .exports.requests import begin_anew
from .keys import Keys
from .leads.models import Submission
from .leads.normalise import email_key
from .leads.queries import find_held, find_lead
from .privacy.cleanup import clear
from .privacy.erased_addresses import reapply, suppress
from .privacy.erasure import Scrubbed, forget_asked, scrub_leads, scrub_submissions
from .school import School


def erase(session: Session, address: str, *, key: Keys, now: datetime) -> Scrubbed:
    """Delete what is kept of this address's owner, and note the address as a keyed hash. Callers commit, then clean().

    `key` is the suppression list's (privacy/erased_addresses.py).
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
    begin_anew(session)
    return scrubbed


def erase_again(session: Session, *, key: Keys, now: datetime) -> Scrubbed:
    """Delete whom a restore brought back that lacked one of the keys. Callers commit, then clean()."""
    scrubbed = reapply(session, key=key, now=now)
    if scrubbed.counts:
        begin_anew(session)
    return scrubbed


def clean(instance_path: Path, school: School, *, clock: Callable[[], datetime]) -> bool:
    """Take away the files that may hold who was erased; whether nothing is left. Ends the session's transaction.

    The background worker does what is left (privacy/cleanup.py).
    """
    sweep(Workshop(folder=folder_of(instance_path), school=school, clock=clock))
    return clear(instance_path, now=clock())
