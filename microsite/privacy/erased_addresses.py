"""List whose data were erased, as keyed hashes of addresses: a restored backup isn't to bring them back.

Who sends a form after that is a new lead, and younger than the entry. Callers commit.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from sqlalchemy import ColumnElement, inspect, select, true
from sqlalchemy.orm import Session

from ..db import insert_into
from ..keys import ERASURE_FILE, Keys, read_keys
from ..leads.models import HELD, Lead, Submission
from ..leads.normalise import casefolded_key, email_key
from .models import ErasedAddress

_DIGEST = re.compile(r"[0-9a-f]{64}")
_BATCH = 500

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


def add_address(session: Session, address: str, *, key: Keys, now: datetime) -> None:
    digest = _hmac(key.texts[0], email_key(address))
    _insert(session, [{"digest": digest, "erased_at": now, "is_casefolded": False}])


def list_entries(session: Session) -> list[Entry]:
    columns = ErasedAddress.digest, ErasedAddress.erased_at, _casefolded_column(session)
    rows = session.execute(select(*columns).order_by(ErasedAddress.id))
    return [
        Entry(digest=digest, erased_at=erased_at.isoformat(), is_casefolded=is_casefolded)
        for digest, erased_at, is_casefolded in rows
    ]


def merge_entries(session: Session, others: Iterable[Mapping[str, Any]]) -> None:
    """Add another list's entries to this one; of two for one address the later counts. Raises ValueError."""
    _insert(session, [_parse(entry) for entry in others])


def is_key_known(session: Session, key: Keys) -> bool:
    """Return whether one of these keys made an entry for somebody whose data of before are in the database."""
    matcher = AddressMatcher(session, key)
    return bool(matcher.find_leads(session) or matcher.find_held(session))


class AddressMatcher:
    """The list, as it can be searched with these keys."""

    def __init__(self, session: Session, key: Keys) -> None:
        self._key = key
        rows = session.scalars(select(ErasedAddress))
        # A digest, and whether it is of a casefolded address.
        self._erased_at = {(row.digest, row.is_casefolded): row.erased_at for row in rows}

    def find(self, address: str) -> datetime | None:
        """Return when the owner of an address was erased last; None for anybody else.

        The address is as it was typed: entries made before migration 0015 can't be found by an email_key.
        """
        texts = ((email_key(address), False), (casefolded_key(address), True))
        digests = [(_hmac(one, text), is_casefolded) for one in self._key.texts for text, is_casefolded in texts]
        return max((self._erased_at[digest] for digest in digests if digest in self._erased_at), default=None)

    def find_leads(self, session: Session) -> list[tuple[int, datetime]]:
        """Return the ids of leads that are older than their owner's erasure, and when that was."""
        if not self._erased_at:
            return []
        older = select(Lead.id, Lead.email).where(Lead.created_at <= max(self._erased_at.values())).order_by(Lead.id)
        rows = session.execute(older.execution_options(yield_per=1000))
        return [(lead_id, erased_at) for lead_id, email in rows if (erased_at := self.find(email)) is not None]

    def find_held(self, session: Session) -> list[int]:
        """Return the ids of quarantined submissions that are older than their sender's erasure."""
        if not self._erased_at:
            return []
        held = Submission.lead_id.is_(None), Submission.status.in_(HELD)
        columns = Submission.id, Submission.email, Submission.submitted_at
        rows = session.execute(select(*columns).where(*held).execution_options(yield_per=1000))
        return [row_id for row_id, email, at in rows if (erased_at := self.find(email)) and at <= erased_at]


def in_batches(rows: Collection[Row]) -> Iterator[list[Row]]:
    found = list(rows)
    for start in range(0, len(found), _BATCH):
        yield found[start : start + _BATCH]


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _casefolded_column(session: Session) -> ColumnElement[bool]:
    """All entries were, in a database that waits for migration 0015: a backup and a restore read its list too."""
    columns = inspect(session.connection()).get_columns(ErasedAddress.__tablename__)
    is_there = any(column["name"] == "is_casefolded" for column in columns)
    return ErasedAddress.__table__.c.is_casefolded if is_there else true()


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    insert = insert_into(session, ErasedAddress)
    later = insert.excluded.erased_at
    insert = insert.on_conflict_do_update(
        index_elements=["digest", "is_casefolded"], set_={"erased_at": later}, where=later > ErasedAddress.erased_at
    )
    for batch in in_batches(sorted(rows, key=lambda row: (row["digest"], row["erased_at"]))):
        session.execute(insert, batch)


def _parse(entry: Mapping[str, Any]) -> dict[str, Any]:
    digest, erased_at = str(entry["digest"]), datetime.fromisoformat(str(entry["erased_at"]))
    if not _DIGEST.fullmatch(digest) or erased_at.tzinfo is None:
        raise ValueError("not an entry of a list of erased addresses")
    return {"digest": digest, "erased_at": erased_at, "is_casefolded": bool(entry.get("is_casefolded", True))}
