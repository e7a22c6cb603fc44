"""Exports are written during the request: no unfinished ones, and bookmarks also for names of commands"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_PREPARED = ("filter", "state", "attempts", "total", "size", "failure", "upto_wave", "cut_at", "beat_at", "ready_at")
_RENAMED = (("written", "row_count"), ("after_wave", "after_batch"), ("asked_at", "exported_at"))
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _rename_batches("export_waves", "export_batches", "wave", "export_batch")
    _upgrade_exports()
    op.create_table(
        "export_bookmarks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=True),
        sa.Column("form", sa.String(20), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_export_bookmarks_staff_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_export_bookmarks"),
        sa.UniqueConstraint("staff_id", "form", name="uq_export_bookmarks_staff_id_form"),
        sa.UniqueConstraint("name", "form", name="uq_export_bookmarks_name_form"),
    )
    op.execute(
        "INSERT INTO export_bookmarks (staff_id, form, batch, at) SELECT staff_id, form, wave, at FROM export_marks"
    )
    op.drop_table("export_marks")


def downgrade() -> None:
    op.create_table(
        "export_marks",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(20), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_export_marks_staff_id"),
        sa.PrimaryKeyConstraint("staff_id", "form", name="pk_export_marks"),
    )
    op.execute(
        "INSERT INTO export_marks (staff_id, form, wave, at) "
        "SELECT staff_id, form, batch, at FROM export_bookmarks WHERE staff_id IS NOT NULL"
    )
    op.drop_table("export_bookmarks")
    _downgrade_exports()
    _rename_batches("export_batches", "export_waves", "export_batch", "wave")


def _rename_batches(table: str, new_table: str, column: str, new_column: str) -> None:
    op.drop_index(f"ix_submissions_without_{column}", "submissions")
    op.drop_index(f"ix_submissions_form_{column}", "submissions")
    op.drop_index(f"ix_{table}_at", table)
    op.rename_table(table, new_table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER SEQUENCE {table}_id_seq RENAME TO {new_table}_id_seq")
        op.execute(f"ALTER TABLE {new_table} RENAME CONSTRAINT pk_{table} TO pk_{new_table}")
    # A batch operation would copy the table, and its AUTOINCREMENT wouldn't survive the copy.
    op.execute(f"ALTER TABLE submissions RENAME COLUMN {column} TO {new_column}")
    op.create_index(f"ix_{new_table}_at", new_table, ["at"])
    op.create_index(f"ix_submissions_form_{new_column}", "submissions", ["form", new_column])
    unnumbered = sa.text(f"{new_column} IS NULL AND lead_id IS NOT NULL")
    op.create_index(
        f"ix_submissions_without_{new_column}",
        "submissions",
        ["id"],
        sqlite_where=unnumbered,
        postgresql_where=unnumbered,
    )


def _upgrade_exports() -> None:
    # A file that was never fetched moved no bookmark, and is gone.
    op.execute("DELETE FROM exports WHERE fetched_at IS NULL")
    op.execute("UPDATE exports SET asked_at = COALESCE(cut_at, asked_at)")
    op.drop_index("ix_exports_state", "exports")
    with op.batch_alter_table("exports", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint("uq_exports_token", type_="unique")
        for name in ("token", *_PREPARED, "fetched_at"):
            batch.drop_column(name)
        for name, new_name in _RENAMED:
            batch.alter_column(name, new_column_name=new_name)


def _downgrade_exports() -> None:
    """Forget the list of last exports: the older program would look for their files."""
    op.drop_table("exports")
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
        sa.Column("after_at", _MOMENT, nullable=True),
        sa.Column("upto_wave", sa.Integer(), nullable=True),
        sa.Column("cut_at", _MOMENT, nullable=True),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("beat_at", _MOMENT, nullable=False),
        sa.Column("ready_at", _MOMENT, nullable=True),
        sa.Column("fetched_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_exports_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        sa.UniqueConstraint("token", name="uq_exports_token"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exports_staff_id", "exports", ["staff_id"])
    op.create_index("ix_exports_state", "exports", ["state"])
