"""Words and sort keys of leads by one folding: ligatures, names run together, numbers as they are dialled at home"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import phonenumbers
import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

_BATCH = 2000
_LETTERS = {
    "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "n",
    "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ə": "e", "ɛ": "e", "ɔ": "o", "\u0131": "i",
}  # fmt: skip
_APOSTROPHES = dict.fromkeys("\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\ua78b\ua78c", "'")
_PLAIN = str.maketrans(_LETTERS | _APOSTROPHES)
_UNSEEN_MARKS = frozenset(map(chr, (0x34F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_ACUTE_FIRST = str.maketrans({"\u0301": "\u0300", "\u0300": "\u0301"})
# Of revision 0008.
_OLD_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"})
_FRENCH_CODES = ("33", "262", "590", "594", "596")

Row = sa.Row[Any]


def upgrade() -> None:
    _fill(_words, _name_key)


def downgrade() -> None:
    _fill(_old_words, _old_name_key)


def _fill(words: Callable[[Row], set[str]], name_key: Callable[[Row], str]) -> None:
    connection = op.get_bind()
    connection.execute(sa.text("DELETE FROM lead_words"))
    leads, submissions = sa.table("leads", *_columns()), sa.table("submissions", sa.column("lead_id"), *_columns())
    for rows in _batches(sa.select(leads.c.id.label("lead_id"), leads)):
        keys = [{"id": row.id, "key": name_key(row)} for row in rows]
        connection.execute(sa.text("UPDATE leads SET name_key = :key WHERE id = :id"), keys)
        _add(rows, words)
    for rows in _batches(sa.select(submissions).where(submissions.c.lead_id.is_not(None))):
        _add(rows, words)


def _columns() -> list[sa.ColumnClause[Any]]:
    return [sa.column(name) for name in ("id", "first_name", "last_name", "email", "phone")]


def _batches(rows: sa.Select[Any]) -> Iterator[Sequence[Row]]:
    last = 0
    while batch := op.get_bind().execute(rows.where(sa.column("id") > last).order_by("id").limit(_BATCH)).all():
        yield batch
        last = batch[-1].id


def _add(rows: Sequence[Row], words: Callable[[Row], set[str]]) -> None:
    kept = [{"lead_id": row.lead_id, "word": word[:100]} for row in rows for word in words(row) if word]
    insert = "INSERT INTO lead_words (lead_id, word) VALUES (:lead_id, :word) ON CONFLICT DO NOTHING"
    if kept:
        op.get_bind().execute(sa.text(insert), kept)


def _words(row: Row) -> set[str]:
    words = {_fold(row.email), *_pieces(row.email.rpartition("@")[0])}
    for name in (row.first_name, row.last_name):
        parts = _pieces(name)
        words |= {"".join(parts[at:]) for at in range(len(parts))}
    return words | (_dialled_digits(row.phone) if row.phone else set())


def _dialled_digits(e164: str) -> set[str]:
    digits = e164.removeprefix("+")
    if e164.startswith("+33"):
        return {digits, f"0{digits[2:]}"}
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return {digits}
    national = re.sub(r"\D", "", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
    return {digits, national} | ({f"0{digits}", digits[3:]} if number.country_code == 508 else set())


def _name_key(row: Row) -> str:
    names = row.last_name, row.first_name
    accents = (unicodedata.normalize("NFD", name.casefold()).translate(_ACUTE_FIRST) for name in names)
    levels = (
        *("".join(_pieces(name)) for name in names),
        *("".join(filter(_is_of_a_word, accented)) for accented in accents),
        *("".join(filter(str.isprintable, name)).swapcase() for name in names),
    )
    return " ".join(levels)[:200]


def _pieces(text: str) -> list[str]:
    return "".join(char if _is_of_a_word(char) else " " for char in _fold(text)).split()


def _is_of_a_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char) in ("Mn", "Mc")


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_PLAIN)
    return "".join(
        char for char in plain if char.isprintable() and not unicodedata.combining(char) and char not in _UNSEEN_MARKS
    )


def _old_words(row: Row) -> set[str]:
    words = {_old_fold(row.email), *_old_pieces(row.email.rpartition("@")[0])}
    for name in (row.first_name, row.last_name):
        words |= {*_old_pieces(name), *("".join(_old_pieces(part)) for part in name.split())}
    if row.phone:
        digits = row.phone.lstrip("+")
        words |= {digits, *(f"0{digits.removeprefix(code)}" for code in _FRENCH_CODES if digits.startswith(code))}
    return words


def _old_name_key(row: Row) -> str:
    return " ".join(_old_pieces(f"{row.last_name} {row.first_name}"))[:200]


def _old_pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"[\W_]+", _old_fold(text)) if piece]


def _old_fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_OLD_LETTERS))
    return "".join(char for char in plain.casefold() if char.isprintable() and not unicodedata.combining(char))
