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
from datetime import UTC, datetime, timedelta
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
# Rows of mails are deleted a year after the mail was decided.
_MAILS_KEPT = timedelta(days=365)
# Why a mail whose consent was confirmed already didn't leave.
_POINTLESS = "sans objet"
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"})
_FRENCH_CODES = ("33", "262", "590", "594", "596")
_TIMES = {
    "created_at", "last_contact_at", "parted_at", "submitted_at", "confirmed_at", "withdrawn_at", "starts_at",
    "cancelled_at", "given_at", "decided_at", "due_at", "asked_at", "done_at",
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
_consents = _table("consents", "id lead_id submission_id channel wording_id origin given_at confirmed_at withdrawn_at")
_alerts = _table("open_day_alerts", "id lead_id submission_id")
_slots = _table("slots", "id capacity starts_at cancelled_at")
_registrations = _table("registrations", "id submission_id lead_id slot_id companions state created_at is_walk_in")
_mails = _table("outgoing_mails", "id template cause audience lead_id key status decided_at due_at attempts failure")
_requests = _table("privacy_requests", "id lead_id kind done_at")
_staff = _table("staff", "id email")
_erased = _table("erased_addresses", "id digest erased_at is_casefolded")


def upgrade() -> None:
    op.add_column("leads", sa.Column("parted_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("erased_addresses") as batch:
        batch.add_column(sa.Column("is_casefolded", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch.drop_constraint("uq_erased_addresses_digest", type_="unique")
        batch.create_unique_constraint("uq_erased_addresses_digest_is_casefolded", ["digest", "is_casefolded"])
    _rekey_staff(_email_key)
    parted, joined = _rekey_leads(datetime.now(UTC))
    if parted:
        click.echo(
            f"Contacts séparés, car leurs demandes venaient d’adresses différentes : {parted}. Les liens qu’ils ont "
            "reçus ne s’ouvrent plus ; flask ops check nomme ce qui reste à décider."
        )
    if joined:
        click.echo(f"Contacts réunis, car leurs deux adresses sont la même boîte : {joined}, à vérifier par l’équipe.")


def downgrade() -> None:
    """Put the old keys back; leads that were parted stay so.

    Of two that had one key before, the second is known by no form any more.
    """
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
    _rekey_staff(_casefolded_key)
    others = sa.select(_leads.c.id, _leads.c.email).where(_is_not_ascii(_leads.c.email))
    for batch_of_leads in _batches(others):
        taken = _find_leads(_casefolded_key(lead.email) for lead in batch_of_leads)
        for lead in batch_of_leads:
            if taken.setdefault(_casefolded_key(lead.email), lead.id) == lead.id:
                _update(_leads, lead.id, email_key=_casefolded_key(lead.email))


def _rekey_leads(now: datetime) -> tuple[int, int]:
    """Give each lead the key of its own mailbox; return how many were parted, and how many merged into another one."""
    # Wherever letters that aren't ASCII stand in no address, the old key and the new one are the same.
    typed = sa.select(_submissions.c.lead_id).where(
        _submissions.c.lead_id.is_not(None), _is_not_ascii(_submissions.c.email)
    )
    number = sa.cast(_leads.c.id, sa.String(20))
    unsettled = sa.update(_leads).where(sa.or_(_is_not_ascii(_leads.c.email), _leads.c.id.in_(typed)))
    op.get_bind().execute(unsettled.values(email_key=sa.literal(_UNSETTLED) + number))
    parted = joined = 0
    for batch in _batches(sa.select(_leads).where(_leads.c.email_key.startswith(_UNSETTLED))):
        counts = _rekey_batch(batch, now)
        parted, joined = parted + counts[0], joined + counts[1]
    return parted, joined


def _rekey_batch(batch: Sequence[Row], now: datetime) -> tuple[int, int]:
    sent = _group_by_mailbox(batch)
    holders = _find_leads(key for groups in sent.values() for key in groups)
    owners = [_name_owner(lead, sent[lead.id]) for lead in batch]
    own = [(key, lead) for key, lead in owners if holders.setdefault(key, lead.id) == lead.id]
    if own:
        settled = sa.update(_leads).where(_leads.c.id == sa.bindparam("lead_id"))
        keys = [{"lead_id": lead.id, "key": key} for key, lead in own]
        _run(settled.values(email_key=sa.bindparam("key")), keys)
    parted = joined = 0
    for found, (key, lead) in zip(batch, owners, strict=True):
        groups = sent[lead.id]
        if len(groups) > 1 or lead is not found:
            _part_lead(lead, {other: rows for other, rows in groups.items() if other != key}, holders, now)
            parted += 1
        if holders[key] != lead.id:
            _merge_lead(lead, holders[key], groups.get(key, []), now)
            joined += 1
    return parted, joined


def _group_by_mailbox(batch: Sequence[Row]) -> dict[int, dict[str, list[Row]]]:
    """Group what each lead sent by the mailbox that was typed in it, oldest first."""
    groups: dict[int, dict[str, list[Row]]] = {lead.id: {_email_key(lead.email): []} for lead in batch}
    columns = (_submissions.c[name] for name in ("id", "reference", "lead_id", "submitted_at", *_PERSON, "is_sample"))
    sent = sa.select(*columns).where(_submissions.c.lead_id.in_(groups))
    for row in op.get_bind().execute(sent.order_by(_submissions.c.submitted_at, _submissions.c.id)):
        groups[row.lead_id].setdefault(_email_key(row.email), []).append(row)
    return {lead_id: {key: rows for key, rows in found.items() if rows} for lead_id, found in groups.items()}


_PERSON = ("first_name", "last_name", "email", "phone")


def _name_owner(lead: Row, groups: dict[str, list[Row]]) -> tuple[str, Row]:
    """Return the key and the lead; if none of its own forms is left, it becomes the first of the others."""
    key = _email_key(lead.email)
    if not groups or key in groups:
        return key, lead
    key, (first, *_) = next(iter(groups.items()))
    _update(_leads, lead.id, email=first.email, first_name=first.first_name, last_name=first.last_name)
    return key, op.get_bind().execute(sa.select(_leads).where(_leads.c.id == lead.id)).one()


def _part_lead(lead: Row, others: dict[str, list[Row]], holders: dict[str, int], now: datetime) -> None:
    """Move what was sent from other mailboxes to leads of their own, and let this one be who is left."""
    # Where a person has settled the review, it stays settled.
    is_to_review = {lead.id: lead.needs_review}
    for key, rows in others.items():
        is_known = key in holders
        if not is_known:
            holders[key] = _add_lead(rows[0], key)
        _move_submissions(lead.id, holders[key], rows)
        is_to_review[holders[key]] = lead.needs_review or is_known
    # `ops check` finds who was parted from whom by this time: no two partings have the same.
    parted_at = now + timedelta(microseconds=lead.id)
    for lead_id, may_differ in is_to_review.items():
        row, sent = _recompute_lead(lead_id, version=lead.link_version + 1, parted_at=parted_at)
        _update(_leads, lead_id, needs_review=(may_differ or row.needs_review) and _has_differences(row, sent))
    for lead_id in is_to_review:
        _take_back_confirmations(lead_id, _find_first_of_others(lead_id, is_to_review), now)
        _ask_to_confirm(lead_id, now)
        _give_missed_seats(lead_id, parted_at)


def _add_lead(first: Row, key: str) -> int:
    times = {"created_at": first.submitted_at, "last_contact_at": first.submitted_at}
    person = {name: getattr(first, name) for name in _PERSON}
    state = {"needs_review": False, "link_version": 1, "is_sample": first.is_sample}
    values = {"email_key": key, "name_key": _name_key(first), **person, **times, **state}
    return int(op.get_bind().execute(sa.insert(_leads).values(values).returning(_leads.c.id)).scalar_one())


def _move_submissions(lead_id: int, to: int, rows: Sequence[Row]) -> None:
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


def _merge_lead(lead: Row, to: int, rows: Sequence[Row], now: datetime) -> None:
    """Give all of this lead to the other one of its mailbox, and mark that one to be reviewed."""
    _move_submissions(lead.id, to, rows)
    kinds = sa.select(_requests.c.kind).where(_requests.c.lead_id == to, _requests.c.done_at.is_(None))
    doubled = _requests.c.lead_id == lead.id, _requests.c.done_at.is_(None), _requests.c.kind.in_(kinds)
    _run(sa.update(_requests).where(*doubled).values(done_at=now))
    for table in (_consents, _mails, _requests):
        _run(sa.update(table).where(table.c.lead_id == lead.id).values(lead_id=to))
    _run(sa.delete(_words).where(_words.c.lead_id == lead.id))
    _run(sa.delete(_leads).where(_leads.c.id == lead.id))
    other = op.get_bind().execute(sa.select(_leads).where(_leads.c.id == to)).one()
    _recompute_lead(to, version=max(lead.link_version, other.link_version) + 1, parted_at=other.parted_at)
    _update(_leads, to, needs_review=True)


def _cancel_doubles(lead_id: int, submission_ids: Sequence[int]) -> None:
    """Cancel all but one registration of a mailbox in a slot: that of who has come stays, else the first."""
    active = _registrations.c.state.not_in(_OVER)
    both = sa.or_(_registrations.c.lead_id == lead_id, _registrations.c.submission_id.in_(submission_ids))
    rows = op.get_bind().execute(sa.select(_registrations).where(active, both).order_by(_registrations.c.id)).all()
    seen: set[int] = set()
    for row in sorted(rows, key=lambda row: row.state != "attended"):
        if row.slot_id in seen:
            _update(_registrations, row.id, state="cancelled")
        seen.add(row.slot_id)


def _recompute_lead(lead_id: int, *, version: int, parted_at: datetime | None) -> tuple[Row, Sequence[Row]]:
    """Keep of a lead what capture() would have kept, from all that it sent; return it as it was, and what it sent."""
    lead = op.get_bind().execute(sa.select(_leads).where(_leads.c.id == lead_id)).one()
    columns = (_submissions.c[name] for name in ("form", "answers", "submitted_at", *_PERSON))
    own = sa.select(*columns).where(_submissions.c.lead_id == lead_id)
    sent = op.get_bind().execute(own.order_by(_submissions.c.submitted_at, _submissions.c.id)).all()
    _update(
        _leads,
        lead_id,
        name_key=_name_key(lead),
        phone=next((row.phone for row in sent if row.phone), None),
        link_version=max(version, lead.link_version),
        created_at=sent[0].submitted_at if sent else lead.created_at,
        # Of two who share one page, nobody knows who pressed a button there: it isn't made earlier.
        last_contact_at=max([lead.last_contact_at, *(row.submitted_at for row in sent)]),
        parted_at=parted_at,
    )
    _run(sa.delete(_words).where(_words.c.lead_id == lead_id))
    words = sorted({word for row in (lead, *sent) for word in _words_of(row)})
    _run(sa.insert(_words), [{"lead_id": lead_id, "word": word} for word in words])
    return lead, sent


def _has_differences(lead: Row, sent: Sequence[Row]) -> bool:
    """Tell whether its forms have another name, or two numbers of companions for one slot: a person looks at these."""
    names = {(_letters(row.first_name), _letters(row.last_name)) for row in (lead, *sent)}
    slots = [row.answers for row in sent if row.form == "open-day" and row.answers.get("slot_id") is not None]
    parties = {(answers["slot_id"], answers.get("companions")) for answers in slots}
    return len(names) > 1 or len(parties) > len({slot_id for slot_id, _ in parties})


def _find_first_of_others(lead_id: int, parted: Iterable[int]) -> datetime | None:
    """Return when one of the others of the same lead first sent a form; None if none of their forms is left."""
    others = [other for other in parted if other != lead_id]
    first = sa.select(sa.func.min(_submissions.c.submitted_at)).where(_submissions.c.lead_id.in_(others))
    return op.get_bind().execute(first).scalar()


def _take_back_confirmations(lead_id: int, first_of_others: datetime | None, now: datetime) -> None:
    """Unconfirm the consents to e-mails that only another one can have confirmed.

    Before the others' first form nobody else can have. One press of a button confirmed all consents to the same words,
    and later ones took that time over: whoever had given none yet, or was never sent the button, didn't press it. Where
    the mail may have been deleted since, the consent stays, and `ops check` names it.
    """
    given = _email_consents(lead_id)
    for consent in given:
        if consent.confirmed_at is None or (first_of_others and consent.confirmed_at < first_of_others):
            continue
        same = [other for other in given if other.wording_id == consent.wording_id]
        if not any(_may_have_pressed(other, consent.confirmed_at, now) for other in same):
            _update(_consents, consent.id, confirmed_at=None)


def _may_have_pressed(consent: Row, time: datetime, now: datetime) -> bool:
    """Tell whether the mail about this consent, still there or not, may have led to a confirmation at this time."""
    if consent.given_at > time:
        return False
    was_sent = consent.status == "sent" and consent.decided_at <= time
    return was_sent or not consent.has_mails or _utc(consent.given_at) < now - _MAILS_KEPT


def _ask_to_confirm(lead_id: int, now: datetime) -> None:
    """Ask once who agreed to e-mails, has confirmed nothing and has no confirmation mail of their own."""
    confirmed = sa.select(_consents.c.id).where(_consents.c.lead_id == lead_id, _consents.c.channel == "email")
    confirmed = confirmed.where(_consents.c.confirmed_at.is_not(None), _consents.c.withdrawn_at.is_(None))
    given = _email_consents(lead_id)
    standing = [consent for consent in given if consent.withdrawn_at is None]
    # One that didn't leave because the other one had pressed the button was no mail to them.
    was_asked = any(consent.status and not _is_pointless(consent) for consent in given)
    if standing and not was_asked and _find_one(confirmed) is None:
        _enqueue("consent", standing[-1].reference, lead_id, now)


def _email_consents(lead_id: int) -> Sequence[Any]:
    """Return the consents to e-mails that came with this lead's forms, oldest first, with the mail about each.

    `has_mails`: mails about the form are still there.
    """
    others = _mails.alias()
    has_mails = sa.exists().where(others.c.cause == _submissions.c.reference).label("has_mails")
    mail = sa.and_(_mails.c.template == "consent", _mails.c.cause == _submissions.c.reference)
    columns = (_consents.c[name] for name in ("id", "wording_id", "given_at", "confirmed_at", "withdrawn_at"))
    of_mail = (_mails.c[name] for name in ("status", "decided_at", "failure"))
    given = sa.select(*columns, _submissions.c.reference, *of_mail, has_mails).select_from(
        sa.join(_consents, _submissions, _submissions.c.id == _consents.c.submission_id).outerjoin(_mails, mail)
    )
    own = _consents.c.lead_id == lead_id, _consents.c.channel == "email", _consents.c.origin == "form"
    return op.get_bind().execute(given.where(*own).order_by(_consents.c.given_at, _consents.c.id)).all()


def _is_pointless(mail: Row) -> bool:
    return bool(mail.status == "dropped" and mail.failure == _POINTLESS)


def _utc(time: datetime) -> datetime:
    """Return the time with its zone, which SQLite doesn't keep."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _give_missed_seats(lead_id: int, now: datetime) -> None:
    """Register who got no seat because the other one had one in this slot: confirmed if there is room, else waiting."""
    columns = (_submissions.c[name] for name in ("id", "reference", "answers"))
    wanting = sa.select(*columns).where(_submissions.c.lead_id == lead_id, _submissions.c.form == "open-day")
    for row in op.get_bind().execute(wanting.order_by(_submissions.c.id)).all():
        slot = _find_slot(row.answers.get("slot_id"), now)
        if slot is None or _has_answer(lead_id, slot.id, row.reference):
            continue
        companions = int(row.answers["companions"])
        has_room = slot.capacity - _count_taken(slot.id) >= 1 + companions
        values = {"submission_id": row.id, "lead_id": lead_id, "slot_id": slot.id, "companions": companions}
        values |= {"state": "confirmed" if has_room else "waiting", "created_at": now, "is_walk_in": False}
        _run(sa.insert(_registrations).values(values))
        if has_room:
            # Of the two mails that say so, the one that says it to who had been told otherwise.
            _enqueue("registration", f"{row.reference}.accepted", lead_id, now)


def _find_slot(slot_id: int | None, now: datetime) -> Row | None:
    to_come = _slots.c.starts_at > now, _slots.c.cancelled_at.is_(None)
    return _find_one(sa.select(_slots).where(_slots.c.id == slot_id, *to_come)) if slot_id is not None else None


def _has_answer(lead_id: int, slot_id: int, reference: str) -> bool:
    """Tell whether they have a registration, over or not, or were promised a mail about the next date."""
    own = sa.select(_registrations.c.id).where(_registrations.c.lead_id == lead_id)
    promised = sa.select(_mails.c.id).where(_mails.c.template == "alert", _mails.c.cause == reference)
    return _find_one(own.where(_registrations.c.slot_id == slot_id)) is not None or _find_one(promised) is not None


def _count_taken(slot_id: int) -> int:
    seats = sa.func.coalesce(sa.func.sum(1 + _registrations.c.companions), 0)
    taken = sa.select(seats).where(_registrations.c.slot_id == slot_id, _registrations.c.state.in_(_SEATED))
    return int(op.get_bind().execute(taken).scalar_one())


def _enqueue(template: str, cause: str, lead_id: int, now: datetime) -> None:
    """Decide a mail, unless it was; one that had lost its reason has it again."""
    due = {"status": "pending", "decided_at": now, "due_at": now, "attempts": 0}
    known = _find_one(sa.select(_mails).where(_mails.c.template == template, _mails.c.cause == cause))
    if known is None:
        key = f"{now:%Y%m%dT%H%M%S}.{template}.{random.getrandbits(64):016x}"
        mail = {"template": template, "cause": cause, "audience": "lead", "lead_id": lead_id, "key": key}
        _run(sa.insert(_mails).values(mail | due))
    elif _is_pointless(known):
        _update(_mails, known.id, failure=None, **due)


def _rekey_staff(key_of: Any) -> None:
    for member in op.get_bind().execute(sa.select(_staff.c.id, _staff.c.email).order_by(_staff.c.id)).all():
        key = key_of(member.email)
        if key != member.email and _find_one(sa.select(_staff.c.id).where(_staff.c.email == key)) is None:
            _update(_staff, member.id, email=key)


def _find_leads(keys: Iterable[str]) -> dict[str, int]:
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


def _find_one(rows: sa.Select[Any]) -> Row | None:
    return op.get_bind().execute(rows.limit(1)).first()


def _email_key(email: str) -> str:
    if email.isascii():
        return email.lower()
    # UTS 46 maps the domain's letters before it composes them.
    local, at, domain = email.rpartition("@")
    lowered = unicodedata.normalize("NFC", f"{local}{at}{_ascii_domain(domain)}").translate(_LOWER)
    # Some marks compose with a small letter alone.
    return unicodedata.normalize("NFC", lowered)


@lru_cache(maxsize=1024)
def _ascii_domain(domain: str) -> str:
    """Encode a domain, once: nearly all of the time would else go into a few of them, over and over."""
    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


def _casefolded_key(email: str) -> str:
    """Return the key of before, of an address or of the key that took its place."""
    local, at, domain = email.rpartition("@")
    with contextlib.suppress(idna.IDNAError):
        domain = idna.decode(domain)
    return unicodedata.normalize("NFC", f"{local}{at}{domain}".casefold())


def _letters(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", name.casefold()) if char.isalnum())


def _words_of(row: Row) -> set[str]:
    words = {_fold(row.email), *_words_in(row.email.rpartition("@")[0])}
    for name in (row.first_name, row.last_name):
        words |= {*_words_in(name), *("".join(_words_in(part)) for part in name.split())}
    if row.phone:
        digits = row.phone.lstrip("+")
        words |= {digits, *(f"0{digits.removeprefix(code)}" for code in _FRENCH_CODES if digits.startswith(code))}
    return {word[:100] for word in words if word}


def _name_key(row: Row) -> str:
    return " ".join(_words_in(f"{row.last_name} {row.first_name}"))[:200]


def _words_in(text: str) -> list[str]:
    return [piece for piece in re.split(r"[\W_]+", _fold(text)) if piece]


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in plain.casefold() if char.isprintable() and not unicodedata.combining(char))
