"""Words by which leads are found, and the orders in which they are listed"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Compared byte by byte, so that the beginning of a word is a range of the index.
_KEY = sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql")
_WORD = sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql")

_INDEXES = {
    "ix_leads_last_contact_at_id_created_at": ("leads", ["last_contact_at", "id", "created_at"]),
    "ix_leads_created_at_id_last_contact_at": ("leads", ["created_at", "id", "last_contact_at"]),
    "ix_leads_name_key_id": ("leads", ["name_key", "id"]),
    "ix_submissions_programme_submitted_at_lead_id": ("submissions", ["programme", "submitted_at", "lead_id"]),
    "ix_submissions_utm_campaign_submitted_at_lead_id": ("submissions", ["utm_campaign", "submitted_at", "lead_id"]),
    "ix_submissions_utm_source_submitted_at_lead_id": ("submissions", ["utm_source", "submitted_at", "lead_id"]),
}
_STANDING = "withdrawn_at IS NULL"
_PARTIAL = {
    "ix_leads_to_review": ("leads", ["last_contact_at", "id"], "needs_review = 1", "needs_review"),
    "ix_submissions_held": ("submissions", ["status", "submitted_at", "id"], "lead_id IS NULL", "lead_id IS NULL"),
    "ix_consents_standing": (
        "consents",
        ["channel", "confirmed_at", "lead_id"],
        "withdrawn_at IS NULL",
        "withdrawn_at IS NULL",
    ),
}
_BATCH = 2000
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"})
_FRENCH_CODES = ("33", "262", "590", "594", "596")


def upgrade() -> None:
    op.create_table(
        "lead_words",
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("word", _WORD, nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_lead_words_lead_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", "word", name="pk_lead_words"),
        sqlite_with_rowid=False,
    )
    op.add_column("leads", sa.Column("name_key", _KEY, server_default="", nullable=False))
    _fill()
    # Of a lead whose first submission was released later than it was sent.
    op.execute(
        "UPDATE leads SET created_at = (SELECT min(submitted_at) FROM submissions WHERE lead_id = leads.id) "
        "WHERE created_at > (SELECT min(submitted_at) FROM submissions WHERE lead_id = leads.id)"
    )
    op.create_index("ix_lead_words_word_lead_id", "lead_words", ["word", "lead_id"])
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)
    for name, (table, columns, on_sqlite, on_postgresql) in _PARTIAL.items():
        op.create_index(name, table, columns, sqlite_where=sa.text(on_sqlite), postgresql_where=sa.text(on_postgresql))


def downgrade() -> None:
    op.execute("UPDATE submissions SET status = 'quarantined' WHERE status = 'spam'")
    for name, (table, *_) in _PARTIAL.items():
        op.drop_index(name, table)
    for name, (table, _columns) in _INDEXES.items():
        op.drop_index(name, table)
    op.drop_table("lead_words")
    # A batch operation would copy the table, and its AUTOINCREMENT wouldn't survive the copy.
    op.execute("ALTER TABLE leads DROP COLUMN name_key")


def _fill() -> None:
    connection = op.get_bind()
    leads, submissions = sa.table("leads", *_columns()), sa.table("submissions", sa.column("lead_id"), *_columns())
    for rows in _batches(sa.select(leads.c.id.label("lead_id"), leads)):
        keys = [{"id": row.id, "key": _name_key(row)} for row in rows]
        connection.execute(sa.text("UPDATE leads SET name_key = :key WHERE id = :id"), keys)
        _add_words(rows)
    for rows in _batches(sa.select(submissions).where(submissions.c.lead_id.is_not(None))):
        _add_words(rows)


def _columns() -> list[sa.ColumnClause[Any]]:
    return [sa.column(name) for name in ("id", "first_name", "last_name", "email", "phone")]


def _batches(rows: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    last = 0
    while batch := op.get_bind().execute(rows.where(sa.column("id") > last).order_by("id").limit(_BATCH)).all():
        yield batch
        last = batch[-1].id


def _add_words(rows: Sequence[sa.Row[Any]]) -> None:
    words = [{"lead_id": row.lead_id, "word": word} for row in rows for word in _words(row)]
    insert = "INSERT INTO lead_words (lead_id, word) VALUES (:lead_id, :word) ON CONFLICT DO NOTHING"
    op.get_bind().execute(sa.text(insert), words)


def _words(row: sa.Row[Any]) -> set[str]:
    words = {_fold(row.email), *_pieces(row.email.rpartition("@")[0])}
    for name in (row.first_name, row.last_name):
        words |= {*_pieces(name), *("".join(_pieces(part)) for part in name.split())}
    if row.phone:
        digits = row.phone.lstrip("+")
        words |= {digits, *(f"0{digits.removeprefix(code)}" for code in _FRENCH_CODES if digits.startswith(code))}
    return {word[:100] for word in words if word}


def _name_key(row: sa.Row[Any]) -> str:
    return " ".join(_pieces(f"{row.last_name} {row.first_name}"))[:200]


def _pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"[\W_]+", _fold(text)) if piece]


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in plain.casefold() if char.isprintable() and not unicodedata.combining(char))
