"""Waiting lists, days that move or are cancelled, attendance"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ADDED: dict[str, list[sa.Column[object]]] = {
    "open_days": [
        sa.Column("access", sa.String(length=1000), server_default="", nullable=False),
        sa.Column("description", sa.String(length=1000), server_default="", nullable=False),
        sa.Column("online_url", sa.String(length=500), server_default="", nullable=False),
    ],
    "slots": [
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("early_reminder_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_reminder_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("thanked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default="0", nullable=False),
    ],
    "registrations": [
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_walk_in", sa.Boolean(), server_default=sa.false(), nullable=False),
    ],
}


def upgrade() -> None:
    for table, columns in _ADDED.items():
        for column in columns:
            op.add_column(table, column)
    _replace_active_index("state not in ('cancelled', 'expired')")
    op.create_index(
        "ix_registrations_offered",
        "registrations",
        ["offered_until"],
        sqlite_where=sa.text("state = 'offered'"),
        postgresql_where=sa.text("state = 'offered'"),
    )


def downgrade() -> None:
    op.drop_index("ix_registrations_offered", "registrations")
    op.execute("UPDATE registrations SET state = 'cancelled' WHERE state = 'expired'")
    _replace_active_index("state <> 'cancelled'")
    for table, columns in _ADDED.items():
        for column in columns:
            # A batch operation would copy the table, and its AUTOINCREMENT wouldn't survive the copy.
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column.name}")


def _replace_active_index(where: str) -> None:
    op.drop_index("uq_registrations_active", "registrations")
    op.create_index(
        "uq_registrations_active",
        "registrations",
        ["lead_id", "slot_id"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
