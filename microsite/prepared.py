"""Statements compiled once and run by the driver itself: for those that everybody who sends a form waits for.

SQLAlchemy looks at a statement, its values and its result anew each time, which takes longer than SQLite's own work.
Whoever listens to the engine hears of their errors alone, not of their being run.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Column, ColumnDefault, Executable
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import CompilerElement

Row = Mapping[str, Any]
_Fill = Callable[[Row], Any]


class Prepared:
    def __init__(self, build: Callable[[str], Executable]) -> None:
        """`build` puts the statement together for a dialect, given by its name."""
        self._build = build
        self._ready: dict[tuple[str, ...], tuple[str, _Fill]] = {}

    def run(self, session: Session, row: Row) -> Any:
        """The first value that it returns, as the driver gives it, hence a number or a text; None if there is none.

        In the session's transaction, without a flush before. Raises what SQLAlchemy raises, and ValueError for what its
        column doesn't take.
        """
        connection = _connection_of(session)
        text, fill = self._prepared(connection.dialect, row)
        values = fill(row)
        with _DriverCursor(connection, text) as cursor:
            cursor.execute(text, values)
            first = cursor.fetchone() if cursor.description else None
        return None if first is None else first[0]

    def run_each(self, session: Session, rows: Sequence[Row]) -> None:
        """The same for rows, one at least, that say the same things."""
        connection = _connection_of(session)
        text, fill = self._prepared(connection.dialect, rows[0])
        values = [fill(row) for row in rows]
        with _DriverCursor(connection, text) as cursor:
            cursor.executemany(text, values)

    def _prepared(self, dialect: Dialect, row: Row) -> tuple[str, _Fill]:
        key = (dialect.name, *row)
        if key not in self._ready:
            statement = cast(CompilerElement, self._build(dialect.name))
            compiled = cast(SQLCompiler, statement.compile(dialect=dialect, column_keys=list(row)))
            self._ready[key] = compiled.string, _filling(compiled, row)
        return self._ready[key]


def _connection_of(session: Session) -> Connection:
    """The session's, in its transaction. To ask the session takes five times as long as to know."""
    bound = session.bind
    # A savepoint is set when the session is asked, and no sooner.
    is_known = session.in_transaction() and not session.in_nested_transaction()
    if is_known and isinstance(bound, Connection) and bound.in_transaction():
        return bound
    return session.connection()


class _DriverCursor:
    """The driver's, whose errors are told as SQLAlchemy tells them: to the engine's listeners, and by its own names."""

    __slots__ = ("_connection", "_cursor", "_text")

    def __init__(self, connection: Connection, text: str) -> None:
        self._connection, self._text = connection, text

    def __enter__(self) -> DBAPICursor:
        try:
            self._cursor: DBAPICursor | None = self._connection.connection.cursor()
        except BaseException as error:
            self._cursor = None
            self._tell(error)
            raise
        return self._cursor

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self._tell(error)
        if self._cursor is not None:
            self._cursor.close()

    def _tell(self, error: BaseException) -> None:
        """Raises what SQLAlchemy makes of the driver's error, and of what ends a program: who knows what was done?"""
        if isinstance(error, self._connection.dialect.loaded_dbapi.Error) or not isinstance(error, Exception):
            self._connection._handle_dbapi_exception(error, self._text, None, self._cursor, None)


def _default(column: Column[Any]) -> ColumnDefault:
    return cast(ColumnDefault, column.default)


def _filling(compiled: SQLCompiler, row: Row) -> _Fill:
    """Makes of a row what the driver takes: values in their order, or by name where it wants names."""
    if compiled.post_compile_params:
        raise NotImplementedError("a list of values, whose length the driver must know")
    if functions := [column.key for column in compiled.insert_prefetch if not _default(column).is_scalar]:
        raise NotImplementedError(f"default values that differ from row to row: {functions}")
    # Raises for what is missing.
    constants = dict(compiled.construct_params(row))
    constants |= {column.key: _default(column).arg for column in compiled.insert_prefetch}
    places = compiled.positiontup or list(compiled.params)
    template: list[Any] = []
    given: list[tuple[int, str, Callable[[Any], Any] | None]] = []
    for index, place in enumerate(places):
        bound = compiled.binds[place]
        write = bound.type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
        template.append(write(constants[place]) if write else constants[place])
        if bound.key in row:
            given.append((index, bound.key, write))

    def fill(row: Row) -> Any:
        values = template.copy()
        for index, name, write in given:
            values[index] = write(row[name]) if write else row[name]
        return tuple(values) if compiled.positional else dict(zip(places, values, strict=True))

    return fill
