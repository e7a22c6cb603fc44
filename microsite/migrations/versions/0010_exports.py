"""Exports prepared for staff, and up to where each of them has taken new submissions"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WAITING = "wave IS NULL AND lead_id IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "export_waves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_export_waves"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_export_waves_at", "export_waves", ["at"])
    op.create_table(
        "exports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("form", sa.String(20), nullable=True),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("dialect", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.String(length=200), nullable=False),
        sa.Column("after_wave", sa.Integer(), nullable=False),
        sa.Column("after_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("upto_wave", sa.Integer(), nullable=True),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_exports_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        sa.UniqueConstraint("token", name="uq_exports_token"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exports_staff_id", "exports", ["staff_id"])
    op.create_index("ix_exports_state", "exports", ["state"])
    op.create_table(
        "export_marks",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(20), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_export_marks_staff_id"),
        sa.PrimaryKeyConstraint("staff_id", "form", name="pk_export_marks"),
    )
    # Without a foreign key: SQLite would have to write all of the table anew.
    op.add_column("submissions", sa.Column("wave", sa.Integer(), nullable=True))
    op.create_index("ix_submissions_form_wave", "submissions", ["form", "wave"])
    op.create_index(
        "ix_submissions_without_wave",
        "submissions",
        ["id"],
        sqlite_where=sa.text(_WAITING),
        postgresql_where=sa.text(_WAITING),
    )


def downgrade() -> None:
    op.drop_index("ix_submissions_without_wave", "submissions")
    op.drop_index("ix_submissions_form_wave", "submissions")
    op.drop_column("submissions", "wave")
    for table in ("export_marks", "exports", "export_waves"):
        op.drop_table(table)
