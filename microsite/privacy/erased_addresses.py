"""Who was erased, as keyed hashes of their addresses: what is older isn't to come back with a restored backup.

Nobody is kept from coming back by a form of their own: that is a new lead, and younger. Callers commit.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from sqlalchemy import ColumnElement, delete, func, inspect, select, true, update
from sqlalchemy.orm import Session

from ..db import insert_into
from ..keys import ERASURE_FILE, Keys, read_keys
from ..leads.models import HELD, Consent, Lead, Submission
from ..leads.normalise import casefolded_key, email_key
from ..leads.queries import hold_lead
from ..leads.services import identify_again
from ..outbox.models import OutgoingMail
from .cleanup import note_mails
from .erasure import Scrubbed, scrub_leads, scrub_submissions
from .models import ErasedAddress, PrivacyRequest

_DIGEST = re.compile(r"[0-9a-f]{64}")
_BATCH = 500

# A digest, and whether it is of a casefolded address.
Lookup = tuple[str, bool]

Row = TypeVar("Row")


class Entry(TypedDict):
    """As it is written into archives: HMAC-SHA-256 in hexadecimal, ISO 8601 with its offset.

    `is_casefolded` is missing in archives made before migration 0015, where all entries were.
    """

    digest: str
    erased_at: str
    is_casefolded: bool


def erasure_key(instance_path: Path) -> Keys:
    """Without it nobody can try addresses out on the list. Raises OSError, KeyUnreadable."""
    return read_keys(instance_path, ERASURE_FILE)


def digests_of(key: Keys, address: str) -> list[str]:
    """What the list may have for an email_key, or for an address as it was typed: the key in use first."""
    return [_hmac(one, email_key(address)) for one in key.texts]


def suppress(session: Session, address: str, *, key: Keys, now: datetime) -> None:
    _keep(session, [{"digest": digests_of(key, address)[0], "erased_at": now, "is_casefolded": False}])


def entries(session: Session) -> list[Entry]:
    columns = ErasedAddress.digest, ErasedAddress.erased_at, _casefolded_column(session)
    listed = session.execute(select(*columns).order_by(ErasedAddress.id))
    return [
        Entry(digest=digest, erased_at=erased_at.isoformat(), is_casefolded=is_casefolded)
        for digest, erased_at, is_casefolded in listed
    ]


def merge(session: Session, others: Iterable[Mapping[str, Any]]) -> None:
    """Add another list's entries to this one; of two for one address the later counts. Raises ValueError."""
    _keep(session, [_read(entry) for entry in others])


def reapply(session: Session, *, key: Keys, now: datetime) -> Scrubbed:
    """Delete again what dates from before its owner was erased; a second time finds nothing.

    A lead who has sent a form since stays, with what they sent since, and under the names of then.
    """
    listed = {(row.digest, row.is_casefolded): row.erased_at for row in session.scalars(select(ErasedAddress))}
    if not listed:
        return Scrubbed()
    scrubbed = _scrub_held(session, _Listed(key, listed), now=now)
    for batch in _in_batches(_find_leads(session, _Listed(key, listed))):
        back = {lead_id for lead_id, erased_at in batch if _has_come_back(session, lead_id, erased_at)}
        scrubbed += scrub_leads(session, [lead_id for lead_id, _ in batch if lead_id not in back], now=now)
        for lead_id, erased_at in batch:
            if lead_id in back:
                scrubbed += _scrub_earlier(session, lead_id, erased_at, now=now)
    return scrubbed


def recognises(session: Session, key: Keys) -> bool:
    """Return whether one of these keys made an entry for somebody whose data is in the database, before the erasure."""
    rows = session.scalars(select(ErasedAddress))
    listed = {(row.digest, row.is_casefolded): row.erased_at for row in rows}
    if not listed:
        return False
    found = _Listed(key, listed)
    return bool(_find_leads(session, found) or _find_held(session, found))


class _Listed:
    """When the owner of an address was erased last; None for who wasn't."""

    def __init__(self, key: Keys, listed: Mapping[Lookup, datetime]) -> None:
        self._key, self._listed = key, listed
        self.latest = max(listed.values())

    def find(self, address: str) -> datetime | None:
        """`address` as it was typed: the older entries can't be found by an email_key."""
        found = [self._listed[lookup] for lookup in _lookups(self._key, address) if lookup in self._listed]
        return max(found, default=None)

    def is_older(self, address: str, moment: datetime) -> bool:
        """Whether its owner was erased since that moment."""
        erased_at = self.find(address)
        return erased_at is not None and moment <= erased_at


def _find_leads(session: Session, listed: _Listed) -> list[tuple[int, datetime]]:
    older = select(Lead.id, Lead.email).where(Lead.created_at <= listed.latest).order_by(Lead.id)
    rows = session.execute(older.execution_options(yield_per=1000))
    return [(lead_id, erased_at) for lead_id, address in rows if (erased_at := listed.find(address)) is not None]


def _find_held(session: Session, listed: _Listed) -> list[int]:
    held = select(Submission.id, Submission.email, Submission.submitted_at).where(
        Submission.lead_id.is_(None), Submission.status.in_(HELD)
    )
    rows = session.execute(held.execution_options(yield_per=1000))
    return [row_id for row_id, email, sent_at in rows if listed.is_older(email, sent_at)]


def _scrub_held(session: Session, listed: _Listed, *, now: datetime) -> Scrubbed:
    scrubbed = Scrubbed()
    for batch in _in_batches(_find_held(session, listed)):
        scrubbed += scrub_submissions(session, batch, now=now)
    return scrubbed


def _has_come_back(session: Session, lead_id: int, erased_at: datetime) -> bool:
    last = session.scalar(select(func.max(Submission.submitted_at)).where(Submission.lead_id == lead_id))
    return last is not None and last > erased_at


def _scrub_earlier(session: Session, lead_id: int, erased_at: datetime, *, now: datetime) -> Scrubbed:
    lead = session.get_one(Lead, lead_id)
    hold_lead(session, lead.email_key)
    own = Submission.lead_id == lead_id, Submission.submitted_at <= erased_at
    earlier = session.scalars(select(Submission.id).where(*own)).all()
    mails = (OutgoingMail.lead_id == lead_id) & (OutgoingMail.decided_at <= erased_at)
    requests = PrivacyRequest.lead_id == lead_id, PrivacyRequest.asked_at <= erased_at
    if not earlier:
        return Scrubbed()
    note_mails(session, mails, now=now)
    session.execute(delete(OutgoingMail).where(mails))
    session.execute(delete(Consent).where(Consent.lead_id == lead_id, Consent.given_at <= erased_at))
    done_at = func.coalesce(PrivacyRequest.done_at, now)
    session.execute(update(PrivacyRequest).where(*requests).values(lead_id=None, done_at=done_at))
    scrubbed = scrub_submissions(session, earlier, now=now)
    identify_again(session, lead)
    return scrubbed


def _lookups(key: Keys, address: str) -> list[Lookup]:
    """Under what an address may be listed: by its mailbox, or by what compared addresses before migration 0015."""
    texts = ((email_key(address), False), (casefolded_key(address), True))
    return [(_hmac(one, text), is_casefolded) for one in key.texts for text, is_casefolded in texts]


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _casefolded_column(session: Session) -> ColumnElement[bool]:
    """All entries were, in a database that waits for migration 0015: a backup and a restore read its list too."""
    columns = inspect(session.connection()).get_columns(ErasedAddress.__tablename__)
    is_there = any(column["name"] == "is_casefolded" for column in columns)
    return ErasedAddress.__table__.c.is_casefolded if is_there else true()


def _keep(session: Session, rows: list[dict[str, Any]]) -> None:
    insert = insert_into(session, ErasedAddress)
    later = insert.excluded.erased_at
    insert = insert.on_conflict_do_update(
        index_elements=["digest", "is_casefolded"], set_={"erased_at": later}, where=later > ErasedAddress.erased_at
    )
    for batch in _in_batches(sorted(rows, key=lambda row: (row["digest"], row["erased_at"]))):
        session.execute(insert, batch)


def _read(entry: Mapping[str, Any]) -> dict[str, Any]:
    digest, erased_at = str(entry["digest"]), datetime.fromisoformat(str(entry["erased_at"]))
    if not _DIGEST.fullmatch(digest) or erased_at.tzinfo is None:
        raise ValueError("not an entry of a suppression list")
    return {"digest": digest, "erased_at": erased_at, "is_casefolded": bool(entry.get("is_casefolded", True))}


def _in_batches(rows: Collection[Row]) -> Iterator[list[Row]]:
    found = list(rows)
    for start in range(0, len(found), _BATCH):
        yield found[start : start + _BATCH]
