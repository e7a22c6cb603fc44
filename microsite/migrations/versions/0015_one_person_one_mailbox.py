"""One lead for each mailbox: part those that letters folded alike had joined, and note by which key people were erased

Until now keys were casefolded, so that straße.fr and strasse.fr were one domain, and É@ and é@ one mailbox. Each
submission goes to the lead of the address typed in it, with all that came with it, and every link mailed to either of
them ends.
"""

import contextlib
import random
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import click
import idna
import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_BATCH = 500
# No address has a space: of leads whose key is still to be worked out.
_UNSETTLED = "? "
_OVER = ("cancelled", "expired")
_SEATED = ("confirmed", "offered", "attended")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"})
_FRENCH_CODES = ("33", "262", "590", "594", "596")
_TIMES = {
    "created_at", "last_contact_at", "parted_at", "submitted_at", "confirmed_at", "withdrawn_at", "starts_at",
    "cancelled_at", "decided_at", "due_at", "asked_at", "done_at",
}  # fmt: skip

Row = sa.Row[Any]


def _table(name: str, columns: str) -> sa.TableClause:
    kinds: dict[str, Any] = {"answers": sa.JSON(), **dict.fromkeys(_TIMES, sa.DateTime(timezone=True))}
    kinds |= dict.fromkeys(("needs_review", "is_sample", "is_walk_in", "is_casefolded"), sa.Boolean())
    return sa.table(name, *(sa.column(column, kinds.get(column)) for column in columns.split()))


_leads = _table(
    "leads",
    "id email email_key first_name last_name name_key phone needs_review link_version is_sample created_at "
    "last_contact_at parted_at",
)
_words = _table("lead_words", "lead_id word")
_submissions = _table(
    "submissions",
    "id reference form submitted_at lead_id first_name last_name email phone answers is_sample",
)
_consents = _table("consents", "id lead_id submission_id channel origin confirmed_at withdrawn_at")
_alerts = _table("open_day_alerts", "id lead_id submission_id")
_slots = _table("slots", "id capacity starts_at cancelled_at")
_registrations = _table("registrations", "id submission_id lead_id slot_id companions state created_at is_walk_in")
_mails = _table("outgoing_mails", "id template cause audience lead_id key status decided_at due_at attempts")
_requests = _table("privacy_requests", "id lead_id kind done_at")
_staff = _table("staff", "id email")
_erased = _table("erased_addresses", "id digest erased_at is_casefolded")


def upgrade() -> None:
    op.add_column("leads", sa.Column("parted_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("erased_addresses") as batch:
        batch.add_column(sa.Column("is_casefolded", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch.drop_constraint("uq_erased_addresses_digest", type_="unique")
        batch.create_unique_constraint("uq_erased_addresses_digest_is_casefolded", ["digest", "is_casefolded"])
    _change_staff(_key)
    parted, joined = _settle_leads(datetime.now(UTC))
    if parted:
        click.echo(
            f"Contacts séparés, car leurs demandes venaient d’adresses différentes : {parted}. Les liens qu’ils ont "
            "reçus ne s’ouvrent plus ; flask --app wsgi ops check nomme ce qui reste à décider."
        )
    if joined:
        click.echo(f"Contacts réunis, car leurs deux adresses sont la même boîte : {joined}, à vérifier par l’équipe.")


def downgrade() -> None:
    """Leads that were parted stay so; of two that had one key before, the second is known by no form any more."""
    later = "SELECT 1 FROM erased_addresses AS other WHERE other.digest = erased_addresses.digest AND "
    op.execute(
        f"DELETE FROM erased_addresses WHERE EXISTS ({later} (other.erased_at > erased_addresses.erased_at OR "  # noqa: S608
        "(other.erased_at = erased_addresses.erased_at AND other.id > erased_addresses.id)))"
    )
    with op.batch_alter_table("erased_addresses") as batch:
        batch.drop_constraint("uq_erased_addresses_digest_is_casefolded", type_="unique")
        batch.drop_column("is_casefolded")
        batch.create_unique_constraint("uq_erased_addresses_digest", ["digest"])
    # A batch operation would copy the table, and its AUTOINCREMENT wouldn't survive the copy.
    op.execute("ALTER TABLE leads DROP COLUMN parted_at")
    _change_staff(_casefolded)
    others = sa.select(_leads.c.id, _leads.c.email).where(_is_not_ascii(_leads.c.email))
    for batch_of_leads in _batches(others):
        taken = _holders(_casefolded(lead.email) for lead in batch_of_leads)
        for lead in batch_of_leads:
            if taken.setdefault(_casefolded(lead.email), lead.id) == lead.id:
                _update(_leads, lead.id, email_key=_casefolded(lead.email))


def _settle_leads(now: datetime) -> tuple[int, int]:
    """Give each lead the key of its own mailbox; how many were parted, and how many joined another one."""
    # Wherever letters that aren't ASCII stand in no address, the old key and the new one are the same.
    typed = sa.select(_submissions.c.lead_id).where(
        _submissions.c.lead_id.is_not(None), _is_not_ascii(_submissions.c.email)
    )
    number = sa.cast(_leads.c.id, sa.String(20))
    unsettled = sa.update(_leads).where(sa.or_(_is_not_ascii(_leads.c.email), _leads.c.id.in_(typed)))
    op.get_bind().execute(unsettled.values(email_key=sa.literal(_UNSETTLED) + number))
    parted = joined = 0
    for batch in _batches(sa.select(_leads).where(_leads.c.email_key.startswith(_UNSETTLED))):
        counts = _settle_batch(batch, now)
        parted, joined = parted + counts[0], joined + counts[1]
    return parted, joined


def _settle_batch(batch: Sequence[Row], now: datetime) -> tuple[int, int]:
    sent = _sent_by_key(batch)
    holders = _holders(key for groups in sent.values() for key in groups)
    owners = [_identify(lead, sent[lead.id]) for lead in batch]
    own = [(key, lead) for key, lead in owners if holders.setdefault(key, lead.id) == lead.id]
    if own:
        settled = sa.update(_leads).where(_leads.c.id == sa.bindparam("lead_id"))
        keys = [{"lead_id": lead.id, "key": key} for key, lead in own]
        _run(settled.values(email_key=sa.bindparam("key")), keys)
    parted = joined = 0
    for found, (key, lead) in zip(batch, owners, strict=True):
        groups = sent[lead.id]
        if len(groups) > 1 or lead is not found:
            _part(lead, {other: rows for other, rows in groups.items() if other != key}, holders, now)
            parted += 1
        if holders[key] != lead.id:
            _join(lead, holders[key], groups.get(key, []), now)
            joined += 1
    return parted, joined


def _sent_by_key(batch: Sequence[Row]) -> dict[int, dict[str, list[Row]]]:
    """What each lead sent, by the mailbox that was typed in it, oldest first."""
    groups: dict[int, dict[str, list[Row]]] = {lead.id: {_key(lead.email): []} for lead in batch}
    columns = (_submissions.c[name] for name in ("id", "reference", "lead_id", "submitted_at", *_PERSON, "is_sample"))
    sent = sa.select(*columns).where(_submissions.c.lead_id.in_(groups))
    for row in op.get_bind().execute(sent.order_by(_submissions.c.submitted_at, _submissions.c.id)):
        groups[row.lead_id].setdefault(_key(row.email), []).append(row)
    return {lead_id: {key: rows for key, rows in found.items() if rows} for lead_id, found in groups.items()}


_PERSON = ("first_name", "last_name", "email", "phone")


def _identify(lead: Row, groups: dict[str, list[Row]]) -> tuple[str, Row]:
    """The key and the lead; where nothing is left of whoever it was made for, it becomes the first of the others."""
    key = _key(lead.email)
    if not groups or key in groups:
        return key, lead
    key, (first, *_) = next(iter(groups.items()))
    _update(_leads, lead.id, email=first.email, first_name=first.first_name, last_name=first.last_name)
    return key, op.get_bind().execute(sa.select(_leads).where(_leads.c.id == lead.id)).one()


def _part(lead: Row, others: dict[str, list[Row]], holders: dict[str, int], now: datetime) -> None:
    """Move what was sent from other mailboxes to leads of their own, and let this one be who is left."""
    version = lead.link_version + 1
    ids = []
    for key, rows in others.items():
        if key not in holders:
            holders[key] = _add_lead(rows[0], key)
        _move(lead.id, holders[key], rows)
        ids.append(holders[key])
    for lead_id in (lead.id, *ids):
        _refresh(lead_id, version=version, parted_at=now)
    for lead_id in (lead.id, *ids):
        _ask_again(lead_id, now)
        _seat(lead_id, now)


def _add_lead(first: Row, key: str) -> int:
    times = {"created_at": first.submitted_at, "last_contact_at": first.submitted_at}
    person = {name: getattr(first, name) for name in _PERSON}
    state = {"needs_review": False, "link_version": 1, "is_sample": first.is_sample}
    values = {"email_key": key, "name_key": _name_key(first), **person, **times, **state}
    return int(op.get_bind().execute(sa.insert(_leads).values(values).returning(_leads.c.id)).scalar_one())


def _move(lead_id: int, to: int, rows: Sequence[Row]) -> None:
    """Give these submissions to that lead, with the rows that came with them and the mails about them."""
    ids, references = [row.id for row in rows], {row.reference for row in rows}
    for chunk in _chunks(ids):
        for table in (_registrations, _consents, _alerts):
            if table is _registrations:
                _cancel_doubles(to, chunk)
            _run(sa.update(table).where(table.c.submission_id.in_(chunk)).values(lead_id=to))
        _run(sa.update(_submissions).where(_submissions.c.id.in_(chunk)).values(lead_id=to))
    mails = op.get_bind().execute(sa.select(_mails.c.id, _mails.c.cause).where(_mails.c.lead_id == lead_id)).all()
    # A cause is a reference, or begins with one and a full stop.
    for chunk in _chunks([mail.id for mail in mails if mail.cause.partition(".")[0] in references]):
        _run(sa.update(_mails).where(_mails.c.id.in_(chunk)).values(lead_id=to))


def _join(lead: Row, to: int, rows: Sequence[Row], now: datetime) -> None:
    """Give all of this lead to the other one of its mailbox, for a person to look at."""
    _move(lead.id, to, rows)
    kinds = sa.select(_requests.c.kind).where(_requests.c.lead_id == to, _requests.c.done_at.is_(None))
    doubled = _requests.c.lead_id == lead.id, _requests.c.done_at.is_(None), _requests.c.kind.in_(kinds)
    _run(sa.update(_requests).where(*doubled).values(done_at=now))
    for table in (_consents, _mails, _requests):
        _run(sa.update(table).where(table.c.lead_id == lead.id).values(lead_id=to))
    _run(sa.delete(_words).where(_words.c.lead_id == lead.id))
    _run(sa.delete(_leads).where(_leads.c.id == lead.id))
    _update(_leads, to, needs_review=True)
    other = op.get_bind().execute(sa.select(_leads).where(_leads.c.id == to)).one()
    _refresh(to, version=max(lead.link_version, other.link_version) + 1, parted_at=other.parted_at)


def _cancel_doubles(lead_id: int, submission_ids: Sequence[int]) -> None:
    """One mailbox has one registration in a slot: that of who has come, else the first; the other one is cancelled."""
    active = _registrations.c.state.not_in(_OVER)
    both = sa.or_(_registrations.c.lead_id == lead_id, _registrations.c.submission_id.in_(submission_ids))
    rows = op.get_bind().execute(sa.select(_registrations).where(active, both).order_by(_registrations.c.id)).all()
    seen: set[int] = set()
    for row in sorted(rows, key=lambda row: row.state != "attended"):
        if row.slot_id in seen:
            _update(_registrations, row.id, state="cancelled")
        seen.add(row.slot_id)


def _refresh(lead_id: int, *, version: int, parted_at: datetime | None) -> None:
    """What capture() would have kept of a lead, from all that it sent."""
    lead = op.get_bind().execute(sa.select(_leads).where(_leads.c.id == lead_id)).one()
    columns = (_submissions.c[name] for name in ("submitted_at", *_PERSON))
    own = sa.select(*columns).where(_submissions.c.lead_id == lead_id)
    sent = op.get_bind().execute(own.order_by(_submissions.c.submitted_at, _submissions.c.id)).all()
    names = {(_letters(row.first_name), _letters(row.last_name)) for row in (lead, *sent)}
    _update(
        _leads,
        lead_id,
        name_key=_name_key(lead),
        phone=next((row.phone for row in sent if row.phone), None),
        needs_review=lead.needs_review or len(names) > 1,
        link_version=max(version, lead.link_version),
        created_at=sent[0].submitted_at if sent else lead.created_at,
        # Of two who share one page, nobody knows who pressed a button there: it isn't made earlier.
        last_contact_at=max([lead.last_contact_at, *(row.submitted_at for row in sent)]),
        parted_at=parted_at,
    )
    _run(sa.delete(_words).where(_words.c.lead_id == lead_id))
    words = sorted({word for row in (lead, *sent) for word in _words_of(row)})
    _run(sa.insert(_words), [{"lead_id": lead_id, "word": word} for word in words])


def _ask_again(lead_id: int, now: datetime) -> None:
    """Who was never asked hasn't confirmed: the other one's button did, and theirs is still to be asked for."""
    theirs = sa.select(_submissions.c.reference).where(_submissions.c.lead_id == lead_id)
    asked = _mails.c.template == "consent", _mails.c.cause.in_(theirs), _mails.c.status == "sent"
    if _first(sa.select(_mails.c.id).where(*asked)) is not None:
        return
    confirmed = _consents.c.lead_id == lead_id, _consents.c.channel == "email", _consents.c.origin == "form"
    given = sa.select(_consents.c.id, _consents.c.withdrawn_at, _submissions.c.reference)
    given = given.join_from(_consents, _submissions, _submissions.c.id == _consents.c.submission_id)
    given = given.where(*confirmed, _consents.c.confirmed_at.is_not(None))
    rows = op.get_bind().execute(given.order_by(_consents.c.id)).all()
    for row in rows:
        _update(_consents, row.id, confirmed_at=None)
    if standing := [row.reference for row in rows if row.withdrawn_at is None]:
        _enqueue("consent", standing[-1], lead_id, now)


def _seat(lead_id: int, now: datetime) -> None:
    """Who was taken for the other had no registration of their own: the seats that are left, or a place in the line."""
    columns = (_submissions.c[name] for name in ("id", "reference", "answers"))
    wanting = sa.select(*columns).where(_submissions.c.lead_id == lead_id, _submissions.c.form == "open-day")
    for row in op.get_bind().execute(wanting.order_by(_submissions.c.id)).all():
        slot = _slot_to_come(row.answers.get("slot_id"), now)
        if slot is None or _is_settled(lead_id, slot.id, row.reference):
            continue
        companions = int(row.answers["companions"])
        has_room = slot.capacity - _taken(slot.id) >= 1 + companions
        values = {"submission_id": row.id, "lead_id": lead_id, "slot_id": slot.id, "companions": companions}
        values |= {"state": "confirmed" if has_room else "waiting", "created_at": now, "is_walk_in": False}
        _run(sa.insert(_registrations).values(values))
        if has_room:
            # Of the two mails that say so, the one that says it to who had been told otherwise.
            _enqueue("registration", f"{row.reference}.accepted", lead_id, now)


def _slot_to_come(slot_id: int | None, now: datetime) -> Row | None:
    to_come = _slots.c.starts_at > now, _slots.c.cancelled_at.is_(None)
    return _first(sa.select(_slots).where(_slots.c.id == slot_id, *to_come)) if slot_id is not None else None


def _is_settled(lead_id: int, slot_id: int, reference: str) -> bool:
    """They have a registration, over or not, or were promised to be told of the next date."""
    own = sa.select(_registrations.c.id).where(_registrations.c.lead_id == lead_id)
    promised = sa.select(_mails.c.id).where(_mails.c.template == "alert", _mails.c.cause == reference)
    return _first(own.where(_registrations.c.slot_id == slot_id)) is not None or _first(promised) is not None


def _taken(slot_id: int) -> int:
    seats = sa.func.coalesce(sa.func.sum(1 + _registrations.c.companions), 0)
    taken = sa.select(seats).where(_registrations.c.slot_id == slot_id, _registrations.c.state.in_(_SEATED))
    return int(op.get_bind().execute(taken).scalar_one())


def _enqueue(template: str, cause: str, lead_id: int, now: datetime) -> None:
    if _first(sa.select(_mails.c.id).where(_mails.c.template == template, _mails.c.cause == cause)) is not None:
        return
    key = f"{now:%Y%m%dT%H%M%S}.{template}.{random.getrandbits(64):016x}"
    mail = {"template": template, "cause": cause, "audience": "lead", "lead_id": lead_id, "key": key}
    mail |= {"status": "pending", "decided_at": now, "due_at": now, "attempts": 0}
    _run(sa.insert(_mails).values(mail))


def _change_staff(key_of: Any) -> None:
    for member in op.get_bind().execute(sa.select(_staff.c.id, _staff.c.email).order_by(_staff.c.id)).all():
        key = key_of(member.email)
        if key != member.email and _first(sa.select(_staff.c.id).where(_staff.c.email == key)) is None:
            _update(_staff, member.id, email=key)


def _holders(keys: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in _chunks(sorted(set(keys))):
        held = sa.select(_leads.c.email_key, _leads.c.id).where(_leads.c.email_key.in_(chunk))
        found |= {row.email_key: row.id for row in op.get_bind().execute(held)}
    return found


def _is_not_ascii(column: sa.ColumnClause[Any]) -> sa.ColumnElement[bool]:
    """More bytes than characters: ranges of letters depend on the engine's collation."""
    if op.get_bind().dialect.name == "postgresql":
        return sa.func.octet_length(column) != sa.func.char_length(column)
    return sa.func.length(sa.cast(column, sa.LargeBinary())) != sa.func.length(column)


def _batches(rows: sa.Select[Any]) -> Iterator[Sequence[Row]]:
    last = 0
    while batch := op.get_bind().execute(rows.where(_leads.c.id > last).order_by(_leads.c.id).limit(_BATCH)).all():
        yield batch
        last = batch[-1].id


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _update(table: sa.TableClause, row_id: int, **values: Any) -> None:
    _run(sa.update(table).where(table.c.id == row_id).values(values))


def _run(statement: Any, rows: Any = None) -> None:
    op.get_bind().execute(statement, rows)


def _first(rows: sa.Select[Any]) -> Row | None:
    return op.get_bind().execute(rows.limit(1)).first()


def _key(email: str) -> str:
    if email.isascii():
        return email.lower()
    local, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return f"{local}{at}{_ascii(domain)}".translate(_LOWER)


@lru_cache(maxsize=1024)
def _ascii(domain: str) -> str:
    """Nearly all of the time would else go into a few domains, encoded over and over."""
    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


def _casefolded(email: str) -> str:
    """The key of before, of an address or of the key that took its place."""
    local, at, domain = email.rpartition("@")
    with contextlib.suppress(idna.IDNAError):
        domain = idna.decode(domain)
    return unicodedata.normalize("NFC", f"{local}{at}{domain}".casefold())


def _letters(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", name.casefold()) if char.isalnum())


def _words_of(row: Row) -> set[str]:
    words = {_fold(row.email), *_pieces(row.email.rpartition("@")[0])}
    for name in (row.first_name, row.last_name):
        words |= {*_pieces(name), *("".join(_pieces(part)) for part in name.split())}
    if row.phone:
        digits = row.phone.lstrip("+")
        words |= {digits, *(f"0{digits.removeprefix(code)}" for code in _FRENCH_CODES if digits.startswith(code))}
    return {word[:100] for word in words if word}


def _name_key(row: Row) -> str:
    return " ".join(_pieces(f"{row.last_name} {row.first_name}"))[:200]


def _pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"[\W_]+", _fold(text)) if piece]


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in plain.casefold() if char.isprintable() and not unicodedata.combining(char))
