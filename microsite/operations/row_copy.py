"""From SQLite to PostgreSQL: each table's rows, as they are, in the order that references ask for."""

from sqlalchemy import Connection, Engine, MetaData, Table, func, insert, select, text

# Rows read and written at once.
_BATCH = 1000


def copy_rows(source: Engine, target: Engine, metadata: MetaData) -> dict[str, int]:
    """Fill empty tables of the same revision, in one transaction; how many rows each took."""
    with source.connect() as reading, target.begin() as writing:
        copied = {table.name: _copy(table, reading, writing) for table in metadata.sorted_tables}
        for table in metadata.sorted_tables:
            _set_sequence(table, writing)
    return copied


def count_rows(connection: Connection, metadata: MetaData) -> dict[str, int]:
    counted = {table.name: select(func.count()).select_from(table) for table in metadata.sorted_tables}
    return {name: connection.scalar(count) or 0 for name, count in counted.items()}


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    copied = 0
    rows = reading.execution_options(yield_per=_BATCH).execute(select(table).order_by(*table.primary_key))
    for batch in rows.mappings().partitions():
        writing.execute(insert(table), [dict(row) for row in batch])
        copied += len(batch)
    return copied


def _set_sequence(table: Table, writing: Connection) -> None:
    """The next id that the table gives out is a new one."""
    column = table.autoincrement_column
    if column is None:
        return
    named = writing.scalar(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
    )
    if named is not None:
        last = writing.scalar(select(func.max(column)))
        writing.execute(
            text("SELECT setval(:name, :last, :used)"), {"name": named, "last": last or 1, "used": last is not None}
        )
