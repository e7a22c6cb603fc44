"""What holds of the database itself: its file is whole, no row points to nowhere, waves and marks follow each other."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ForeignKey, Select, Table, func, literal, select, text
from sqlalchemy.orm import Session

from ..db import Base
from ..exports.models import ExportMark, Wave
from ..leads.models import HELD, NO_WAVE, Submission
from .facts import Fact, count_of, every

_ONE = select(literal(1))


def database_facts(dialect: str) -> Sequence[Fact]:
    return (*(_SQLITE if dialect == "sqlite" else _POSTGRESQL), *_WAVES)


def _damage(session: Session) -> Iterator[str]:
    """What SQLite finds when it reads the whole file, indexes against tables (sqlite.org, PRAGMA integrity_check)."""
    yield from (found for found in session.scalars(text("PRAGMA integrity_check")) if found != "ok")


def _dangling_rows(session: Session) -> Iterator[str]:
    """sqlite.org, PRAGMA foreign_key_check: table, rowid, table it points to."""
    for table, row, parent, _ in session.execute(text("PRAGMA foreign_key_check")):
        yield f"{table} {row} vers {parent}"


def _dangling(session: Session) -> Iterator[str]:
    """The same by queries: PostgreSQL checks its keys as rows change, and has no command that reads them again."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            for value in session.scalars(_pointing_to_nowhere(table, key)):
                yield f"{table.name}.{key.parent.name} {value} vers {key.column.table.name}"


def _pointing_to_nowhere(table: Table, key: ForeignKey) -> Select[int]:
    target = key.column.table.alias()
    joined = table.outerjoin(target, target.c[key.column.name] == key.parent)
    return select(key.parent).select_from(joined).where(key.parent.is_not(None), target.c[key.column.name].is_(None))


_KEYS = "aucune ligne n’en désigne une qui manque"
_SQLITE = (
    Fact(name="le fichier de la base est intact", of="fichier", seen=_ONE, broken=_damage),
    Fact(name=_KEYS, of="base", seen=_ONE, broken=_dangling_rows),
)
_POSTGRESQL = (Fact(name=_KEYS, of="base", seen=_ONE, broken=_dangling),)
_WAVES = (
    Fact(
        name="une demande est d’une vague qui existe",
        of="demande",
        seen=count_of(select(Submission.id).where(Submission.wave > NO_WAVE)),
        broken=select(Submission.reference)
        .outerjoin(Wave, Wave.id == Submission.wave)
        .where(Submission.wave != NO_WAVE, Wave.id.is_(None)),
    ),
    Fact(
        name="une demande retenue n’est d’aucune vague",
        of="demande",
        seen=count_of(select(Submission.id).where(Submission.status.in_(HELD))),
        broken=select(Submission.reference).where(Submission.status.in_(HELD), Submission.wave > NO_WAVE),
    ),
    Fact(
        name="un repère d’export ne dépasse pas la dernière vague",
        of="repère",
        seen=every(ExportMark),
        broken=select(ExportMark.staff_id).where(
            ExportMark.wave > select(func.coalesce(func.max(Wave.id), 0)).scalar_subquery()
        ),
    ),
)
