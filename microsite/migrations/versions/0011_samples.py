"""Samples marked, and what the desk's first page and the report count by"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UNSENT = "status <> 'sent'"


def upgrade() -> None:
    for table in ("leads", "submissions"):
        op.add_column(table, sa.Column("is_sample", sa.Boolean(), server_default=sa.false(), nullable=False))
        op.create_index(
            f"ix_{table}_samples",
            table,
            ["id"],
            sqlite_where=sa.text("is_sample = 1"),
            postgresql_where=sa.text("is_sample"),
        )
    op.create_index(
        "ix_outgoing_mails_unsent",
        "outgoing_mails",
        ["status", "id"],
        sqlite_where=sa.text(_UNSENT),
        postgresql_where=sa.text(_UNSENT),
    )


def downgrade() -> None:
    op.drop_index("ix_outgoing_mails_unsent", "outgoing_mails")
    for table in ("submissions", "leads"):
        op.drop_index(f"ix_{table}_samples", table)
        # A batch operation would copy the table, and its AUTOINCREMENT wouldn't survive the copy.
        op.execute(f"ALTER TABLE {table} DROP COLUMN is_sample")
